import { useComputedColorScheme } from '@mantine/core';
import { type PointerEvent, useEffect, useRef } from 'react';
import { serviceColor } from '../units/service-color.ts';
import classes from './timeline.module.css';
import { type TraceTree, visibleRows } from './trace-tree.ts';

interface Props {
  tree: TraceTree;
  view: readonly [number, number];
  /** While the pointer drags. */
  onChange: (view: [number, number]) => void;
  /** At the end of it. */
  onCommit: (view: [number, number]) => void;
}

const NO_FOLDS: ReadonlySet<string> = new Set();

/** All spans at once; dragging chooses the part that the timeline shows, a double click all of it. */
export function TraceMinimap({ tree, view, onChange, onCommit }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dragFrom = useRef<number | undefined>(undefined);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return undefined;
    const draw = (): void => {
      const ratio = window.devicePixelRatio || 1;
      const { width, height } = element.getBoundingClientRect();
      element.width = width * ratio;
      element.height = height * ratio;
      context.scale(ratio, ratio);
      context.clearRect(0, 0, width, height);
      const rows = visibleRows(tree, NO_FOLDS);
      const step = Math.min((height - 8) / rows.length, 6);
      const total = Math.max(tree.duration, 1);
      rows.forEach((node, index) => {
        context.fillStyle = node.span.hasError
          ? scheme === 'dark'
            ? '#ff7f85'
            : '#c0202e'
          : serviceColor(node.span.service, scheme === 'dark');
        const x = ((node.span.start - tree.start) / total) * width;
        context.fillRect(
          x,
          4 + index * step,
          Math.max((node.span.duration / total) * width, 1.5),
          Math.max(step * 0.75, 0.6),
        );
      });
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [tree, scheme]);

  const shareAt = (event: PointerEvent<HTMLDivElement>): number => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - bounds.left) / bounds.width, 0), 1);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a pointer's shortcut; the whole trace is in the timeline for the keyboard
    <div
      className={classes.minimap}
      title="Drag to look closer; double click for all"
      onPointerDown={(event) => {
        dragFrom.current = shareAt(event);
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const from = dragFrom.current;
        if (from === undefined) return;
        const to = shareAt(event);
        if (Math.abs(to - from) > 0.004) onChange([Math.min(from, to), Math.max(from, to)]);
      }}
      onPointerUp={() => {
        dragFrom.current = undefined;
        onCommit([view[0], view[1]]);
      }}
      onDoubleClick={() => onCommit([0, 1])}
    >
      <canvas ref={canvas} aria-hidden />
      {view[0] > 0 || view[1] < 1 ? (
        <div className={classes.window} style={{ left: `${view[0] * 100}%`, right: `${(1 - view[1]) * 100}%` }} />
      ) : null}
    </div>
  );
}
