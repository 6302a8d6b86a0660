import { Button } from '@mantine/core';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { LogLine } from '../api/loki.ts';
import { linksOfLine } from '../signals/mapping.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { formatLocal } from '../ui/Time.tsx';
import classes from './explore.module.css';
import { highlightParts, LEVEL_COLORS, levelOf } from './log-levels.ts';

interface InlineProps extends Props {
  /** Inside of a box that scrolls by itself, for some hundred lines. */
  isInline?: boolean;
}

interface Props {
  lines: readonly LogLine[];
  needles?: readonly string[];
  anchor?: string | undefined;
  onFilter?: (label: string, value: string, operator: '=' | '!=') => void;
  onContext?: (line: LogLine) => void;
}

/** Log lines in the window's own scrolling, only those on screen in the document. Enter or click unfolds a line. */
export function LogLines({ isInline = false, ...props }: InlineProps) {
  return isInline ? <InlineLogLines {...props} /> : <WindowLogLines {...props} />;
}

function InlineLogLines({ lines, needles = [], onFilter, onContext }: Props) {
  const [open, setOpen] = useState<string>();
  return lines.map((line) => (
    <Line
      key={line.key}
      line={line}
      needles={needles}
      isAnchor={false}
      isOpen={open === line.key}
      onToggle={() => setOpen(open === line.key ? undefined : line.key)}
      onFilter={onFilter}
      onContext={onContext}
    />
  ));
}

function WindowLogLines({ lines, needles = [], anchor, onFilter, onContext }: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void =>
      setOffset(Math.round((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: lines.length,
    estimateSize: () => 25,
    overscan: 20,
    scrollMargin: offset,
    getItemKey: (index) => lines[index]?.key ?? index,
  });
  return (
    <div ref={list} className={classes.lines} style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const line = lines[item.index];
        if (line === undefined) return null;
        return (
          <div
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            style={{ position: 'absolute', left: 0, right: 0, top: item.start - offset }}
          >
            <Line
              line={line}
              needles={needles}
              isAnchor={line.ns === anchor}
              isOpen={open.has(line.key)}
              onToggle={() => {
                const next = new Set(open);
                if (!next.delete(line.key)) next.add(line.key);
                setOpen(next);
              }}
              onFilter={onFilter}
              onContext={onContext}
            />
          </div>
        );
      })}
    </div>
  );
}

interface LineProps {
  line: LogLine;
  needles: readonly string[];
  isAnchor: boolean;
  isOpen: boolean;
  onToggle: () => void;
  onFilter: Props['onFilter'] | undefined;
  onContext: ((line: LogLine) => void) | undefined;
}

function Line({ line, needles, isAnchor, isOpen, onToggle, onFilter, onContext }: LineProps) {
  const links = useMemo(() => linksOfLine(line.line, line.labels), [line]);
  const level = levelOf(line.line, line.labels, line.metadata);
  const parts = highlightParts(line.line, needles);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a wider target for the mouse; the button in it has the keys
    // biome-ignore lint/a11y/noStaticElementInteractions: as above
    <div
      className={classes.line}
      style={{ position: 'relative' }}
      data-anchor={isAnchor}
      data-log-line
      onClick={(event) => {
        if (window.getSelection()?.isCollapsed === false || (event.target as Element).closest('a,button,table')) return;
        onToggle();
      }}
    >
      <span className={classes.level} style={{ background: LEVEL_COLORS[level] }} title={level} />
      <button type="button" className={classes.when} aria-expanded={isOpen} data-row onClick={onToggle}>
        <time dateTime={new Date(line.at).toISOString()} title={`${new Date(line.at).toISOString()} (UTC)`}>
          {formatLocal(line.at, { withMs: true, withDate: false })}
        </time>
      </button>
      <span className={classes.text}>
        {parts.map((part, index) =>
          part.isHit ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text
            <mark key={index}>{part.text}</mark>
          ) : (
            part.text
          ),
        )}
      </span>
      {links[0] ? (
        links[0].href ? (
          <a className={classes.linkChip} href={links[0].href}>
            {links[0].label}
          </a>
        ) : (
          <AppLink className={classes.linkChip} to={links[0].path} params={links[0].params}>
            {links[0].label}
          </AppLink>
        )
      ) : null}
      {isOpen ? (
        <div className={classes.details}>
          <div className={classes.actions}>
            {onContext ? (
              <Button size="compact-xs" variant="default" onClick={() => onContext(line)}>
                Lines around this one
              </Button>
            ) : null}
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => void navigator.clipboard.writeText(line.line).catch(() => undefined)}
            >
              Copy the line
            </Button>
            {line.labels.pod && line.labels.namespace ? (
              <AppLink
                className={classes.linkChip}
                to="/cluster"
                params={{ kind: 'pods', object: `${line.labels.namespace}/${line.labels.pod}` }}
              >
                Pod
              </AppLink>
            ) : null}
          </div>
          <table>
            <tbody>
              {Object.entries({ ...line.labels, ...line.metadata }).map(([key, value]) => (
                <tr key={key}>
                  <td>{key}</td>
                  <td className="mono">{value}</td>
                  <td>
                    {onFilter && key in line.labels ? (
                      <>
                        <Button size="compact-xs" variant="subtle" onClick={() => onFilter(key, value, '=')}>
                          Only this
                        </Button>
                        <Button size="compact-xs" variant="subtle" onClick={() => onFilter(key, value, '!=')}>
                          Not this
                        </Button>
                      </>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </div>
  );
}
