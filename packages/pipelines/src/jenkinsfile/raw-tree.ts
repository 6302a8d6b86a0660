import type { Position } from './problem.ts';
import type { Text } from './text.ts';

/** What the grammar gives: calls with arguments and blocks, before any of it has a meaning. */
export interface RawCall extends Position {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly RawArgument[];
  readonly block: RawBlock | undefined;
  /** It has arguments or parentheses; `any` in `agent any` has not. */
  readonly isPlainName: boolean;
}

export interface RawBlock extends Position {
  readonly statements: readonly RawStatement[];
}

export interface RawAssignment extends Position {
  readonly kind: 'assignment';
  readonly name: string;
  readonly value: RawValue;
}

export type RawStatement = RawCall | RawAssignment;

export interface RawArgument extends Position {
  readonly name: string | undefined;
  readonly value: RawValue;
}

export type RawValue =
  | (Position & { readonly kind: 'text'; readonly text: Text })
  | (Position & { readonly kind: 'number'; readonly value: number })
  | (Position & { readonly kind: 'boolean'; readonly value: boolean })
  | (Position & { readonly kind: 'null' })
  | (Position & { readonly kind: 'list'; readonly items: readonly RawValue[] })
  | (Position & { readonly kind: 'map'; readonly entries: readonly RawArgument[] })
  /** `scm`, `env.X` */
  | (Position & { readonly kind: 'path'; readonly path: string })
  | RawCall;
