import { Button, Menu, Modal, TextInput } from '@mantine/core';
import { IconBraces, IconDownload, IconGitCompare, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useParams } from 'wouter';
import { navigate } from 'wouter/use-browser-location';
import { isApiError } from '../api/http.ts';
import { type Trace, traceById } from '../api/jaeger.ts';
import { hrefTo, useQueryState } from '../app/url-state.ts';
import { clock } from '../time/clock.ts';
import { Service } from '../ui/Service.tsx';
import { Empty, QueryView, SkeletonRows } from '../ui/States.tsx';
import { Time } from '../ui/Time.tsx';
import { useCopy } from '../ui/useCopy.ts';
import { Badge } from '../ui/Value.tsx';
import { formatDuration } from '../units/format.ts';
import { Timeline } from './Timeline.tsx';
import { TraceMinimap } from './TraceMinimap.tsx';
import classes from './timeline.module.css';
import { buildTraceTree, criticalPath, traceTitle } from './trace-tree.ts';
import { formatZoom, parseZoom } from './zoom.ts';

const RETRIES_FOR_NEW_TRACE = 8;

/** One trace: what it was, a minimap, the timeline. */
export function TracePage() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useQuery({
    queryKey: ['jaeger', 'trace', id],
    queryFn: async ({ signal }) => (await traceById(id, signal)) ?? null,
    // A trace of this very moment is still on its way: ask again for some seconds.
    retry: (count, error) => isApiError(error) && error.status === 404 && count < RETRIES_FOR_NEW_TRACE,
    retryDelay: 500,
    staleTime: 60_000,
  });
  // Spans of slow parts arrive after the first ones: read once more shortly after.
  const { refetch } = query;
  const endedAt = query.data ? Math.max(...query.data.spans.map((span) => span.start + span.duration)) / 1000 : 0;
  useEffect(() => {
    if (endedAt === 0 || clock.now() - endedAt > 15_000) return undefined;
    return clock.after(2500, () => void refetch());
  }, [endedAt, refetch]);
  const isUnknown = query.data === undefined && isApiError(query.error) && query.error.status === 404;
  const none = (
    <Empty
      title="No such trace"
      actions={
        <>
          <Button variant="default" size="xs" onClick={() => navigate(hrefTo('/jaeger'))}>
            Search traces
          </Button>
          <Button variant="default" size="xs" onClick={() => void refetch()}>
            Look again
          </Button>
        </>
      }
    >
      Nobody has sent a span of <span className="mono">{id}</span>. It may be older than what is kept, or not sampled.
    </Empty>
  );
  return (
    <div className="page">
      {isUnknown ? (
        none
      ) : (
        <QueryView
          query={query}
          loading={
            query.failureCount > 1 ? (
              <Empty title="Waiting for the first span">A trace of this very moment takes a second or two.</Empty>
            ) : (
              <SkeletonRows rows={10} />
            )
          }
          isEmpty={(trace) => trace === null || trace.spans.length === 0}
          empty={none}
        >
          {(trace) => (trace === null ? null : <TraceView trace={trace} />)}
        </QueryView>
      )}
    </div>
  );
}

function TraceView({ trace }: { trace: Trace }) {
  const tree = useMemo(() => buildTraceTree(trace), [trace]);
  const critical = useMemo(() => criticalPath(tree), [tree]);
  const [filter, setFilter] = useQueryState('uiFind');
  const [zoom, setZoom] = useQueryState('zoom');
  const [dragged, setDragged] = useState<[number, number]>();
  const view = dragged ?? parseZoom(zoom);
  const [isJsonOpen, setJsonOpen] = useState(false);
  const [isComparing, setComparing] = useState(false);
  const title = traceTitle(tree);
  const matches = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    if (wanted === '') return undefined;
    const found = trace.spans.filter(
      (span) =>
        span.operation.toLowerCase().includes(wanted) ||
        span.service.toLowerCase().includes(wanted) ||
        span.id === wanted ||
        span.tags.some((tag) => `${tag.key}=${tag.value}`.toLowerCase().includes(wanted)),
    );
    return new Set(found.map((span) => span.id));
  }, [filter, trace]);
  return (
    <>
      <section className="card" style={{ marginBottom: 14, overflow: 'hidden' }} aria-label="Trace">
        <div className={classes.head}>
          <div className={`page-head ${classes.title}`}>
            <h1 className="ellipsis" title={`${title.service} ${title.operation}`}>
              <Service name={title.service} />
              <span className="ellipsis" style={{ fontWeight: 450 }}>
                {title.operation}
              </span>
            </h1>
            <div className="end">
              <TextInput
                size="xs"
                w={210}
                placeholder="Find a span, service, tag"
                aria-label="Find in the trace"
                leftSection={<IconSearch size={14} />}
                value={filter}
                onChange={(event) => setFilter(event.currentTarget.value, { replace: true })}
                rightSectionWidth={54}
                rightSection={
                  matches ? (
                    <span className="dim" style={{ fontSize: 12 }}>
                      {matches.size} found
                    </span>
                  ) : null
                }
              />
              <Button
                size="xs"
                variant="default"
                leftSection={<IconGitCompare size={15} />}
                onClick={() => setComparing(true)}
              >
                Compare
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button size="xs" variant="default" leftSection={<IconBraces size={15} />}>
                    JSON
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconBraces size={15} />} onClick={() => setJsonOpen(true)}>
                    Show
                  </Menu.Item>
                  <Menu.Item
                    leftSection={<IconDownload size={15} />}
                    component="a"
                    href={`/jaeger/api/traces/${trace.id}`}
                    download={`trace-${trace.id}.json`}
                  >
                    Download
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </div>
          </div>
          <div className={classes.facts}>
            <span>
              <Time ms={tree.start / 1000} withMs />
            </span>
            <span>
              Duration <b>{formatDuration(tree.duration)}</b>
            </span>
            <span>
              Services <b>{tree.services.length}</b>
            </span>
            <span>
              Depth <b>{tree.depth}</b>
            </span>
            <span>
              Spans <b>{trace.spans.length.toLocaleString('en-US')}</b>
            </span>
            {tree.errors > 0 ? <Badge tone="bad">{tree.errors} with errors</Badge> : null}
            {tree.orphans > 0 ? (
              <Badge tone="warn" title="Their parents have not arrived">
                {tree.orphans} without their parent
              </Badge>
            ) : null}
            <CopyId id={trace.id} />
            {zoom === '' ? null : (
              <Button size="compact-xs" variant="default" onClick={() => setZoom(undefined)}>
                The whole trace
              </Button>
            )}
          </div>
        </div>
        <TraceMinimap
          tree={tree}
          view={view}
          onChange={setDragged}
          onCommit={(next) => {
            setDragged(undefined);
            setZoom(formatZoom(next));
          }}
        />
      </section>
      <Timeline tree={tree} critical={critical} view={view} matches={matches} />
      <Modal
        opened={isJsonOpen}
        onClose={() => setJsonOpen(false)}
        size="xl"
        title="The trace as Jaeger's API gives it"
      >
        {isJsonOpen ? <RawTrace id={trace.id} /> : null}
      </Modal>
      <CompareModal id={trace.id} isOpen={isComparing} onClose={() => setComparing(false)} />
    </>
  );
}

function CopyId({ id }: { id: string }) {
  const { isCopied, copy } = useCopy();
  return (
    <button
      type="button"
      className="mono dim"
      style={{ all: 'unset', cursor: 'pointer', fontFamily: 'var(--mono)', fontSize: 12 }}
      title="Copy the trace id"
      onClick={() => copy(id)}
    >
      {isCopied ? 'Copied' : id}
    </button>
  );
}

function RawTrace({ id }: { id: string }) {
  const query = useQuery({
    queryKey: ['jaeger', 'raw', id],
    queryFn: async ({ signal }) =>
      JSON.stringify(await (await fetch(`/jaeger/api/traces/${id}`, { signal })).json(), null, 2),
  });
  return (
    <QueryView query={query} compact>
      {(text) => (
        <pre className="mono" style={{ maxHeight: '65vh', overflow: 'auto', margin: 0 }}>
          {text.slice(0, 400_000)}
        </pre>
      )}
    </QueryView>
  );
}

function CompareModal({ id, isOpen, onClose }: { id: string; isOpen: boolean; onClose: () => void }) {
  const [other, setOther] = useState('');
  const isValid = /^[0-9a-f]{16,32}$/i.test(other.trim());
  return (
    <Modal opened={isOpen} onClose={onClose} title="Compare with">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isValid) navigate(hrefTo(`/jaeger/compare/${id}/${other.trim()}`));
        }}
        style={{ display: 'grid', gap: 12 }}
      >
        <TextInput
          label="Id of the other trace"
          value={other}
          onChange={(event) => setOther(event.currentTarget.value)}
          data-autofocus
          classNames={{ input: 'mono' }}
          description="Or tick two traces in the list of results."
        />
        <Button type="submit" disabled={!isValid}>
          Compare
        </Button>
      </form>
    </Modal>
  );
}
