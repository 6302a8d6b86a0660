import { Button, Checkbox, Select } from '@mantine/core';
import { IconGitCompare } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { searchTraces, services } from '../api/jaeger.ts';
import { useTime, useTimeKey } from '../app/TimeProvider.tsx';
import { hrefTo, useQueryState } from '../app/url-state.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Service } from '../ui/Service.tsx';
import { Empty, QueryView } from '../ui/States.tsx';
import { Time } from '../ui/Time.tsx';
import { Badge } from '../ui/Value.tsx';
import { microseconds } from '../units/brands.ts';
import { count, formatDuration } from '../units/format.ts';
import { DurationHistogram, DurationScatter } from './SearchCharts.tsx';
import { SearchForm } from './SearchForm.tsx';
import { parseTags, sortRows, type TraceRow } from './search-state.ts';
import { TraceTabs } from './TraceTabs.tsx';
import { appEntry, buildTraceTree, type TraceTree, traceTitle } from './trace-tree.ts';
import classes from './traces.module.css';

export interface ResultRow extends TraceRow {
  tree: TraceTree;
}

/** Search by service, operation, tags and duration; histogram and scatter of what was found; the list. */
export function TraceSearchPage() {
  const { range } = useTime();
  const key = useTimeKey();
  const serviceList = useQuery({
    queryKey: ['jaeger', 'services', key.at(-1)],
    queryFn: ({ signal }) => services(signal),
    placeholderData: keepPreviousData,
  });
  const [chosen] = useQueryState('service');
  const service = chosen || preferred(serviceList.data ?? []);
  const [operation] = useQueryState('operation');
  const [tagText] = useQueryState('tags');
  const [minDuration] = useQueryState('minDuration');
  const [maxDuration] = useQueryState('maxDuration');
  const [limit] = useQueryState('limit', '100');
  const [sort, setSort] = useQueryState('sort', 'newest');
  const [compared, setCompared] = useState<readonly string[]>([]);
  const { tags, problem } = parseTags(tagText);
  const found = useQuery({
    queryKey: ['jaeger', 'search', service, operation, tagText, minDuration, maxDuration, limit, ...key],
    queryFn: ({ signal }) =>
      searchTraces(
        {
          service,
          operation: operation || undefined,
          tags,
          minDuration: minDuration || undefined,
          maxDuration: maxDuration || undefined,
          ...range,
          limit: Number(limit) || 100,
        },
        signal,
      ),
    enabled: service !== '' && problem === undefined,
    placeholderData: keepPreviousData,
  });
  const rows = useMemo<ResultRow[]>(() => {
    const all = (found.data ?? []).map((trace) => {
      const tree = buildTraceTree(trace);
      return {
        id: trace.id,
        tree,
        start: tree.start,
        duration: tree.duration,
        spans: trace.spans.length,
        errors: tree.errors,
      };
    });
    return sortRows(all, sort);
  }, [found.data, sort]);
  const longest = Math.max(...rows.map((row) => row.duration), 1);

  return (
    <div className="page">
      <div className="page-head">
        <h1>Traces</h1>
        <TraceTabs value="search" />
        <div className="end">
          {compared.length > 0 ? (
            <Button
              size="xs"
              leftSection={<IconGitCompare size={15} />}
              disabled={compared.length !== 2}
              onClick={() => navigate(hrefTo(`/jaeger/compare/${compared[0]}/${compared[1]}`))}
            >
              {compared.length === 2 ? 'Compare the two' : 'Choose one more to compare'}
            </Button>
          ) : null}
        </div>
      </div>
      <div className={classes.layout}>
        <SearchForm services={serviceList.data ?? []} service={service} problem={problem} />
        <div style={{ minWidth: 0 }}>
          {service === '' && serviceList.isSuccess ? (
            <div className="card">
              <Empty
                title="No service has sent a span yet"
                actions={
                  <Button component="a" href="/demo-app/">
                    Open the website
                  </Button>
                }
              >
                Traces appear within two seconds of the first request. Open the website and click “Slow page”.
              </Empty>
            </div>
          ) : serviceList.isError && serviceList.data === undefined ? (
            <div className="card">
              <QueryView query={serviceList}>{() => null}</QueryView>
            </div>
          ) : (
            <>
              <section className={`card ${classes.charts}`} aria-label="Durations">
                <DurationHistogram rows={rows} />
                <DurationScatter rows={rows} range={range} isCut={rows.length > 1 && rows.length >= Number(limit)} />
              </section>
              <section className="card" aria-label="Results">
                <div className="card-head">
                  <span aria-live="polite">
                    {found.data === undefined ? 'Searching' : count(rows.length, 'trace')}
                    {rows.length === Number(limit) ? (
                      <span className="dim"> (the limit; there may be more)</span>
                    ) : null}
                  </span>
                  <span className="end">
                    <Select
                      size="xs"
                      w={150}
                      aria-label="Sort by"
                      allowDeselect={false}
                      value={sort}
                      onChange={(value) => setSort(value ?? 'newest')}
                      data={[
                        { value: 'newest', label: 'Newest first' },
                        { value: 'longest', label: 'Longest first' },
                        { value: 'shortest', label: 'Shortest first' },
                        { value: 'spans', label: 'Most spans first' },
                        { value: 'errors', label: 'Most errors first' },
                      ]}
                    />
                  </span>
                </div>
                <QueryView
                  query={found}
                  isEmpty={(list) => list.length === 0}
                  empty={
                    <Empty
                      title="No traces in this time"
                      actions={
                        <Button
                          variant="default"
                          size="xs"
                          onClick={() => navigate(hrefTo('/jaeger/search', { service }))}
                        >
                          Drop the filters
                        </Button>
                      }
                    >
                      Widen the time range above, or drop a filter. The search looks at spans of {service}.
                    </Empty>
                  }
                >
                  {() => (
                    <div className={classes.results}>
                      {rows.map((row) => (
                        <Result
                          key={row.id}
                          row={row}
                          longest={longest}
                          isCompared={compared.includes(row.id)}
                          onCompare={(on) =>
                            setCompared(on ? [...compared, row.id].slice(-2) : compared.filter((id) => id !== row.id))
                          }
                        />
                      ))}
                    </div>
                  )}
                </QueryView>
              </section>
            </>
          )}
        </div>
      </div>
    </div>
  );
}

/** The first app rather than a proxy, when nothing was chosen. */
function preferred(names: readonly string[]): string {
  return names.find((name) => name === 'front-end') ?? names.find((name) => !name.includes('.')) ?? names[0] ?? '';
}

function Result({
  row,
  longest,
  isCompared,
  onCompare,
}: {
  row: ResultRow;
  longest: number;
  isCompared: boolean;
  onCompare: (on: boolean) => void;
}) {
  const root = traceTitle(row.tree);
  const entry = appEntry(row.tree);
  const title = entry ?? root;
  return (
    <article className={classes.result}>
      <Checkbox
        size="xs"
        checked={isCompared}
        onChange={(event) => onCompare(event.currentTarget.checked)}
        aria-label={`Compare trace ${row.id.slice(0, 7)}`}
      />
      <AppLink to={`/jaeger/trace/${row.id}`} className={classes.title} data-row>
        <span className="nowrap">{title.service}</span>
        <span className={`${classes.op} ellipsis`}>{title.operation}</span>
        {entry && entry.service !== root.service ? (
          <span className="dim ellipsis" style={{ fontWeight: 400, fontSize: 12.5 }}>
            by {root.service}
          </span>
        ) : null}
        <span className="mono dim">{row.id.slice(0, 7)}</span>
      </AppLink>
      <b className={classes.right}>{formatDuration(microseconds(row.duration))}</b>
      <div className={classes.bar}>
        <i style={{ width: `${Math.max((row.duration / longest) * 100, 0.5)}%` }} />
      </div>
      <span />
      <div className={classes.services} style={{ gridRow: 3 }}>
        <span>
          {count(row.spans, 'span')}
          {row.errors > 0 ? ' ' : ''}
          {row.errors > 0 ? <Badge tone="bad">{count(row.errors, 'error')}</Badge> : null}
        </span>
        {row.tree.services.map((item) => (
          <span key={item.name} style={{ display: 'inline-flex', gap: 4 }}>
            <Service name={item.name} /> <span className="dim">{item.count}</span>
          </span>
        ))}
      </div>
      <span className={`${classes.right} dim`} style={{ gridRow: 3, gridColumn: 3, fontSize: 12 }}>
        <Time ms={row.start / 1000} />
      </span>
    </article>
  );
}
