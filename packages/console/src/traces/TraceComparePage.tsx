import { useQueries } from '@tanstack/react-query';
import { useParams } from 'wouter';
import { traceById } from '../api/jaeger.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Service } from '../ui/Service.tsx';
import { Empty, ErrorState, SkeletonRows } from '../ui/States.tsx';
import { Badge } from '../ui/Value.tsx';
import { microseconds } from '../units/brands.ts';
import { count, formatDuration } from '../units/format.ts';
import { compareTraces } from './compare.ts';
import { buildTraceTree, type TraceTree, traceTitle } from './trace-tree.ts';

/** Two traces, span by span in the same place of the tree: what takes longer, what is only in one. */
export function TraceComparePage() {
  const { a = '', b = '' } = useParams<{ a: string; b: string }>();
  const results = useQueries({
    queries: [a, b].map((id) => ({
      queryKey: ['jaeger', 'trace', id],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await traceById(id, signal)) ?? null,
      staleTime: 60_000,
    })),
  });
  const failed = results.find((result) => result.isError);
  const [left, right] = results.map((result) => result.data);
  if (failed) return <ErrorState error={failed.error} onRetry={() => void failed.refetch()} />;
  if (left === undefined || right === undefined) return <SkeletonRows rows={10} />;
  if (left === null || right === null)
    return <Empty title="No such trace">One of the two is not known: {left === null ? a : b}.</Empty>;
  return <Comparison a={buildTraceTree(left)} b={buildTraceTree(right)} />;
}

function Head({ tree, name }: { tree: TraceTree; name: string }) {
  const title = traceTitle(tree);
  return (
    <div style={{ minWidth: 0, flex: 1 }}>
      <div className="dim" style={{ fontSize: 12 }}>
        Trace {name} ·{' '}
        <AppLink to={`/jaeger/trace/${tree.id}`} className="mono">
          {tree.id.slice(0, 16)}
        </AppLink>
      </div>
      <div className="ellipsis">
        {title.service} <span className="dim">{title.operation}</span>
      </div>
      <b style={{ fontSize: 18 }}>{formatDuration(tree.duration)}</b>{' '}
      <span className="dim">{count(tree.nodes.size, 'span')}</span>
      {tree.errors > 0 ? <Badge tone="bad">{tree.errors} errors</Badge> : null}
    </div>
  );
}

function Comparison({ a, b }: { a: TraceTree; b: TraceTree }) {
  const groups = compareTraces(a, b);
  const largest = Math.max(...groups.map((group) => Math.abs(group.selfB - group.selfA)), 1);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Compare</h1>
      </div>
      <section className="card" style={{ padding: 14, display: 'flex', gap: 24, marginBottom: 14, flexWrap: 'wrap' }}>
        <Head tree={a} name="A" />
        <Head tree={b} name="B" />
      </section>
      <section className="card scroll-x">
        <table className="grid">
          <thead>
            <tr>
              <th>Span</th>
              <th className="num">Count A</th>
              <th className="num">Count B</th>
              <th className="num">Duration A</th>
              <th className="num">Duration B</th>
              <th className="num">Own time, B − A</th>
              <th style={{ width: 150 }}>
                <span className="visually-hidden">Difference as a bar</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group, index) => {
              const difference = group.selfB - group.selfA;
              const share = (Math.abs(difference) / largest) * 50;
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: the same operation may stand at several places
                <tr key={index}>
                  <td style={{ paddingLeft: 10 + Math.min(group.depth, 12) * 14 }}>
                    <span style={{ display: 'inline-flex', gap: 8, alignItems: 'center' }}>
                      <Service name={group.service} />
                      <span className="dim">{group.operation}</span>
                      {group.countA === 0 ? (
                        <Badge tone="accent">only in B</Badge>
                      ) : group.countB === 0 ? (
                        <Badge tone="warn">only in A</Badge>
                      ) : null}
                    </span>
                  </td>
                  <td className="num">{group.countA}</td>
                  <td className="num">{group.countB}</td>
                  <td className="num">{group.countA > 0 ? formatDuration(microseconds(group.durationA)) : '–'}</td>
                  <td className="num">{group.countB > 0 ? formatDuration(microseconds(group.durationB)) : '–'}</td>
                  <td className="num">
                    {difference > 0 ? '+' : ''}
                    {formatDuration(microseconds(difference))}
                  </td>
                  <td>
                    <div style={{ position: 'relative', height: 10, background: 'var(--surface-2)', borderRadius: 2 }}>
                      <div
                        style={{
                          position: 'absolute',
                          top: 0,
                          bottom: 0,
                          left: '50%',
                          borderLeft: '1px solid var(--line-strong)',
                        }}
                      />
                      <div
                        style={{
                          position: 'absolute',
                          top: 0,
                          bottom: 0,
                          left: `${difference >= 0 ? 50 : 50 - share}%`,
                          width: `${share}%`,
                          background: difference >= 0 ? 'var(--bad)' : 'var(--ok)',
                        }}
                      />
                    </div>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </div>
  );
}
