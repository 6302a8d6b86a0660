import { SegmentedControl } from '@mantine/core';
import { navigate } from 'wouter/use-browser-location';
import { hrefTo } from '../app/url-state.ts';

const PATHS = { search: '/jaeger/search', services: '/jaeger/dependencies' } as const;

/** From the search to the graph of the services and back. */
export function TraceTabs({ value }: { value: keyof typeof PATHS }) {
  return (
    <SegmentedControl
      size="xs"
      value={value}
      onChange={(next) => navigate(hrefTo(PATHS[next]))}
      aria-label="Section"
      data={[
        { value: 'search', label: 'Search' },
        { value: 'services', label: 'Services' },
      ]}
    />
  );
}
