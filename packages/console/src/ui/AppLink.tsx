import type { ComponentProps } from 'react';
import { Link } from 'wouter';
import { hrefTo } from '../app/url-state.ts';

type Props = Omit<ComponentProps<'a'>, 'href'> & { to: string; params?: Readonly<Record<string, string | undefined>> };

/** A link inside the console that takes the time range along. */
export function AppLink({ to, params, ...rest }: Props) {
  return <Link {...rest} href={hrefTo(to, params)} />;
}
