import { IconActivity, IconBox, IconFileText, IconLink } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { KeyValue } from '../api/jaeger.ts';
import { logsOfSpan, metricsOfSpan, podOfSpan } from '../signals/mapping.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { Service } from '../ui/Service.tsx';
import { Time } from '../ui/Time.tsx';
import { useCopy } from '../ui/useCopy.ts';
import { Badge } from '../ui/Value.tsx';
import { type Microseconds, microseconds } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import classes from './timeline.module.css';
import { type SpanNode, selfTime } from './trace-tree.ts';

/** Everything a span says, and the ways on from it: its log lines, its pod, its service's metrics. */
export function SpanDetail({ node, traceStart }: { node: SpanNode; traceStart: Microseconds }) {
  const { span } = node;
  const logs = logsOfSpan(span);
  const pod = podOfSpan(span);
  const { isCopied, copy } = useCopy();
  return (
    <div data-span-detail>
      <div className={classes.detailHead}>
        <b>{span.operation}</b>
        <Service name={span.service} />
        <Badge>{span.kind}</Badge>
        {span.hasError ? <Badge tone="bad">error</Badge> : null}
        <span>
          <span className="dim">Starts at</span> {formatDuration(microseconds(span.start - traceStart))}
        </span>
        <span>
          <span className="dim">takes</span> {formatDuration(span.duration)}
        </span>
        <span>
          <span className="dim">of it by itself</span> {formatDuration(selfTime(node))}
        </span>
        <button
          type="button"
          className="mono dim"
          style={{ all: 'unset', cursor: 'pointer', fontFamily: 'var(--mono)', fontSize: 12, color: 'var(--ink-3)' }}
          title="Copy the span id"
          onClick={() => copy(span.id)}
        >
          {isCopied ? 'Copied' : span.id}
        </button>
      </div>
      <div className={classes.links}>
        {logs ? (
          <AppLink to={logs.path} params={logs.params} className={classes.link}>
            <IconFileText size={15} stroke={1.8} /> {logs.label}
          </AppLink>
        ) : null}
        {pod ? (
          <AppLink
            to="/cluster"
            params={{ kind: 'pods', object: `${pod.namespace}/${pod.name}` }}
            className={classes.link}
          >
            <IconBox size={15} stroke={1.8} /> Pod
          </AppLink>
        ) : null}
        {metricsOfSpan(span).map((link) => (
          <AppLink key={link.label} to={link.path} params={link.params} className={classes.link}>
            <IconActivity size={15} stroke={1.8} /> {link.label}
          </AppLink>
        ))}
        {span.links.map((link) => (
          <AppLink
            key={`${link.traceId}${link.spanId}`}
            to={`/jaeger/trace/${link.traceId}`}
            params={{ span: link.spanId }}
            className={classes.link}
          >
            <IconLink size={15} stroke={1.8} /> Linked span {link.spanId.slice(0, 7)}
          </AppLink>
        ))}
      </div>
      <div className={classes.sections}>
        <KeyValues title={`Tags (${span.tags.length})`} items={span.tags} />
        <KeyValues title={`Process: ${span.service}`} items={span.process} />
        {span.events.length > 0 ? (
          <div>
            <h2>Events ({span.events.length})</h2>
            {span.events.map((event, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity
              <div key={index}>
                <div className={classes.eventHead}>
                  <span title="Since the start of the trace">
                    {formatDuration(microseconds(event.at - traceStart))}
                  </span>{' '}
                  <span className="dim">
                    <Time ms={event.at / 1000} withMs withDate={false} />
                  </span>
                </div>
                <KeyValues items={event.fields} />
              </div>
            ))}
          </div>
        ) : null}
        {span.warnings.length > 0 ? (
          <div>
            <h2>Warnings</h2>
            {span.warnings.map((warning) => (
              <div key={warning}>
                <Badge tone="warn">{warning}</Badge>
              </div>
            ))}
          </div>
        ) : null}
      </div>
    </div>
  );
}

function KeyValues({ title, items }: { title?: ReactNode; items: readonly KeyValue[] }) {
  if (items.length === 0) return null;
  return (
    <div>
      {title ? <h2>{title}</h2> : null}
      <table className={classes.kv}>
        <tbody>
          {items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a span may carry a key twice
            <tr key={`${item.key}-${index}`}>
              <td>{item.key}</td>
              <td>{item.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
