import { Switch } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { useServiceColor } from '../ui/Service.tsx';
import { microseconds } from '../units/brands.ts';
import { formatDuration } from '../units/format.ts';
import { SpanDetail } from './SpanDetail.tsx';
import classes from './timeline.module.css';
import { type CriticalSection, type SpanNode, type TraceTree, visibleRows } from './trace-tree.ts';

const ROW_HEIGHT = 28;
const DETAIL_ESTIMATE = 360;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  tree: TraceTree;
  critical: readonly CriticalSection[];
  view: readonly [number, number];
  matches: ReadonlySet<string> | undefined;
}

type Item = { kind: 'row' | 'detail'; node: SpanNode };

/** The tree on the left, time on the right; only what is on screen is in the document. */
export function Timeline({ tree, critical, view, matches }: Props) {
  const isNarrow = useMediaQuery('(max-width: 720px)') ?? false;
  const color = useServiceColor();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [open] = useQueryState('span');
  const [active, setActive] = useState<string | undefined>(open || undefined);
  const [showsCritical, setShowsCritical] = useState(true);
  const list = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const top = (list.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
    setOffset(Math.round(top));
  }, []);

  const rows = useMemo(() => visibleRows(tree, folded), [tree, folded]);
  const items = useMemo<Item[]>(
    () =>
      rows.flatMap((node) =>
        node.span.id === open
          ? [
              { kind: 'row', node },
              { kind: 'detail', node },
            ]
          : [{ kind: 'row', node }],
      ),
    [rows, open],
  );
  const sections = useMemo(() => {
    const bySpan = new Map<string, CriticalSection[]>();
    for (const section of critical) bySpan.set(section.spanId, [...(bySpan.get(section.spanId) ?? []), section]);
    return bySpan;
  }, [critical]);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: (index) => (items[index]?.kind === 'detail' ? DETAIL_ESTIMATE : ROW_HEIGHT),
    overscan: 12,
    scrollMargin: offset,
    getItemKey: (index) => `${items[index]?.kind}-${items[index]?.node.span.id}-${items[index]?.node.span.kind}`,
  });

  const from = tree.start + tree.duration * view[0];
  const width = Math.max(tree.duration * (view[1] - view[0]), 1);
  const place = (at: number): number => ((at - from) / width) * 100;

  const toggleOpen = (id: string): void =>
    updateQuery({ span: open === id ? undefined : id }, { replace: open !== '' });
  const fold = (node: SpanNode, isFolded: boolean): void => {
    const next = new Set(folded);
    if (isFolded) next.add(node.span.id);
    else next.delete(node.span.id);
    setFolded(next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget) return;
    const at = rows.findIndex((node) => node.span.id === active);
    const node = rows[at];
    const go = (to: number): void => {
      const next = rows[Math.min(Math.max(to, 0), rows.length - 1)];
      if (next === undefined) return;
      setActive(next.span.id);
      virtual.scrollToIndex(items.findIndex((item) => item.node === next));
    };
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        break;
      case 'ArrowUp':
        go(at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(rows.length - 1);
        break;
      case 'Enter':
      case ' ':
        if (node) toggleOpen(node.span.id);
        break;
      case 'ArrowLeft':
        if (node && node.children.length > 0 && !folded.has(node.span.id)) fold(node, true);
        else if (node) go(rows.findIndex((row) => row.children.includes(node)));
        break;
      case 'ArrowRight':
        if (node && folded.has(node.span.id)) fold(node, false);
        else go(at + 1);
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const nameWidth = isNarrow ? '46%' : 'clamp(280px, 38%, 560px)';

  return (
    <section
      className={`card ${classes.table}`}
      style={{ ['--name-width' as string]: nameWidth }}
      aria-label="Timeline"
    >
      <div className={classes.ruler}>
        <div>
          <button
            type="button"
            className={classes.fold}
            title="Unfold all"
            aria-label="Unfold all"
            onClick={() => setFolded(new Set())}
          >
            +
          </button>
          <button
            type="button"
            className={classes.fold}
            title="Fold all"
            aria-label="Fold all"
            onClick={() =>
              setFolded(
                new Set(
                  [...tree.nodes.values()]
                    .filter((node) => node.children.length > 0 && node.depth > 0)
                    .map((node) => node.span.id),
                ),
              )
            }
          >
            −
          </button>
          {isNarrow ? null : (
            <Switch
              size="xs"
              label="Critical path"
              checked={showsCritical}
              onChange={(event) => setShowsCritical(event.currentTarget.checked)}
              ml={8}
            />
          )}
        </div>
        <div className={classes.ticks}>
          {(isNarrow ? [0, 1] : TICKS).map((tick) => (
            <span key={tick} style={{ left: `${tick * 100}%` }}>
              {formatDuration(microseconds(Math.round(width * tick + tree.duration * view[0])))}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={list}
        className={classes.rows}
        style={{ height: virtual.getTotalSize() }}
        tabIndex={0}
        role="tree"
        aria-label="Spans"
        onKeyDown={onKeyDown}
        onFocus={() => setActive(active ?? rows[0]?.span.id)}
      >
        {virtual.getVirtualItems().map((virtualItem) => {
          const item = items[virtualItem.index];
          if (item === undefined) return null;
          const top = virtualItem.start - offset;
          const { node } = item;
          if (item.kind === 'detail')
            return (
              <div
                key={virtualItem.key}
                ref={virtual.measureElement}
                data-index={virtualItem.index}
                role="treeitem"
                tabIndex={-1}
                aria-level={node.depth + 2}
                className={classes.detail}
                style={{ top, borderLeftColor: color(node.span.service) }}
              >
                <SpanDetail node={node} traceStart={tree.start} />
              </div>
            );
          const { span } = node;
          const left = place(span.start);
          const right = place(span.start + span.duration);
          const isFolded = folded.has(span.id);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it handles the keys
            <div
              key={virtualItem.key}
              role="treeitem"
              tabIndex={-1}
              aria-level={node.depth + 1}
              aria-selected={span.id === open}
              {...(node.children.length > 0 ? { 'aria-expanded': !isFolded } : {})}
              className={classes.row}
              style={{ top }}
              data-open={span.id === open}
              data-active={span.id === active}
              data-dim={matches !== undefined && !matches.has(span.id)}
              data-span-operation={span.operation}
              data-span-service={span.service}
              onClick={() => {
                setActive(span.id);
                toggleOpen(span.id);
              }}
            >
              <div className={classes.name}>
                {Array.from({ length: Math.min(node.depth, isNarrow ? 3 : 16) }, (_, depth) => (
                  <span
                    // biome-ignore lint/suspicious/noArrayIndexKey: guide lines have no identity
                    key={depth}
                    className={classes.guide}
                    style={isNarrow ? { width: 2, marginLeft: 3 } : undefined}
                  />
                ))}
                {node.children.length > 0 ? (
                  <button
                    type="button"
                    className={classes.fold}
                    tabIndex={-1}
                    aria-label={isFolded ? `Unfold ${node.descendants}` : 'Fold'}
                    onClick={(event) => {
                      event.stopPropagation();
                      fold(node, !isFolded);
                    }}
                  >
                    {isFolded ? '▸' : '▾'}
                  </button>
                ) : (
                  <span style={{ width: 24, flex: 'none' }} />
                )}
                <span className={classes.edge} style={{ background: color(span.service) }} />
                <span className={classes.label} title={`${span.service}: ${span.operation}`}>
                  {span.hasError ? (
                    <span style={{ color: 'var(--bad)', fontWeight: 700, marginRight: 5 }}>!</span>
                  ) : null}
                  <b>{span.service}</b>
                  <span>{span.operation}</span>
                  {isFolded ? <span className="dim"> +{node.descendants}</span> : null}
                </span>
              </div>
              <div className={classes.track}>
                {TICKS.slice(1, -1).map((tick) => (
                  <span key={tick} className={classes.gridline} style={{ left: `${tick * 100}%` }} />
                ))}
                <span
                  className={classes.bar}
                  style={{
                    left: `${left}%`,
                    width: `${right - left}%`,
                    background: color(span.service),
                    ...(span.hasError ? { boxShadow: 'inset 0 0 0 2px var(--bad)' } : {}),
                  }}
                />
                {showsCritical
                  ? sections.get(span.id)?.map((section) => (
                      <span
                        key={section.from}
                        className={classes.critical}
                        style={{
                          left: `${place(section.from)}%`,
                          width: `${((section.to - section.from) / width) * 100}%`,
                        }}
                      />
                    ))
                  : null}
                {span.events.slice(0, 40).map((event, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity
                  <span key={index} className={classes.event} style={{ left: `${place(event.at)}%` }} />
                ))}
                <span
                  className={classes.time}
                  style={
                    right < 82
                      ? { left: `${Math.max(right, 0)}%` }
                      : left > 18
                        ? { right: `${100 - left}%` }
                        : {
                            right: 4,
                            background: 'color-mix(in srgb, var(--surface) 86%, transparent)',
                            color: 'var(--ink)',
                            borderRadius: 4,
                            lineHeight: '16px',
                            top: 6,
                          }
                  }
                >
                  {formatDuration(span.duration)}
                </span>
              </div>
            </div>
          );
        })}
      </div>
    </section>
  );
}
