import { Button, Select, Switch } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { type KubeObject, podLog } from '../api/kubernetes.ts';
import { LEVEL_COLORS, levelOf } from '../explore/log-levels.ts';
import { linksOfLine } from '../signals/mapping.ts';
import { AppLink } from '../ui/AppLink.tsx';
import { ErrorState } from '../ui/States.tsx';
import classes from './cluster.module.css';
import { readPod } from './read.ts';

const TAIL = 500;
const MAX_LINES = 5000;

/** The container's own log from the kubelet, followed; no store in between. */
export function PodLog({ pod }: { pod: KubeObject }) {
  const view = readPod(pod);
  const [container, setContainer] = useState(view.containers[0]?.name);
  const [isPrevious, setPrevious] = useState(false);
  const [lines, setLines] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` starts it again
  useEffect(() => {
    const abort = new AbortController();
    setLines([]);
    setError(undefined);
    const read = async (): Promise<void> => {
      let pending: string[] = [];
      let frame = 0;
      const flush = (): void => {
        frame = 0;
        const batch = pending;
        pending = [];
        setLines((old) => [...old, ...batch].slice(-MAX_LINES));
      };
      try {
        for await (const line of podLog(
          { namespace: view.namespace, name: view.name, container },
          { tail: TAIL, previous: isPrevious, follow: !isPrevious, signal: abort.signal },
        )) {
          pending.push(line);
          if (frame === 0) frame = requestAnimationFrame(flush);
        }
      } catch (problem) {
        if (!abort.signal.aborted) setError(problem);
      }
    };
    void read();
    return () => abort.abort();
  }, [view.namespace, view.name, container, isPrevious, attempt]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the end as lines come
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <>
      <div className={classes.toolbar}>
        {view.containers.length > 1 ? (
          <Select
            size="xs"
            aria-label="Container"
            data={view.containers.map((item) => item.name)}
            value={container ?? null}
            onChange={(value) => setContainer(value ?? undefined)}
          />
        ) : null}
        <Switch
          size="xs"
          label="Of the run before"
          checked={isPrevious}
          onChange={(event) => setPrevious(event.currentTarget.checked)}
        />
        <Button size="compact-xs" variant="default" onClick={() => setAttempt(attempt + 1)}>
          Read again
        </Button>
        <span className="dim" style={{ fontSize: 12 }}>
          {lines.length} lines
        </span>
      </div>
      {error !== undefined && lines.length === 0 ? (
        <ErrorState error={error} onRetry={() => setAttempt(attempt + 1)} />
      ) : (
        <div
          ref={box}
          className={classes.log}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by the keyboard
          tabIndex={0}
          role="log"
          aria-label="Container log"
          onScroll={(event) => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
            isAtEnd.current = scrollHeight - scrollTop - clientHeight < 30;
          }}
        >
          {lines.map((line, index) => {
            const link = linksOfLine(line)[0];
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity
              <div key={index} style={{ borderLeft: `3px solid ${LEVEL_COLORS[levelOf(line, {})]}`, paddingLeft: 8 }}>
                {line.replace(/^(\S+T\S+Z)\s/, '')}{' '}
                {link && link.path !== '' ? (
                  <AppLink to={link.path} params={link.params}>
                    trace
                  </AppLink>
                ) : null}
              </div>
            );
          })}
        </div>
      )}
    </>
  );
}
