import { useComputedColorScheme } from '@mantine/core';
import { serviceColor } from '../units/service-color.ts';

/** The colour of a service in the scheme of the page. */
export function useServiceColor(): (service: string) => string {
  const dark = useComputedColorScheme('light') === 'dark';
  return (service) => serviceColor(service, dark);
}

/** A service's name behind its colour. */
export function Service({ name }: { name: string }) {
  const color = useServiceColor();
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 6, minWidth: 0 }}>
      <span className="swatch" style={{ background: color(name) }} />
      <span className="ellipsis">{name}</span>
    </span>
  );
}
