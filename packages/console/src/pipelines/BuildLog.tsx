import { useEffect, useRef, useState } from 'react';
import { request } from '../api/http.ts';

const POLL_MS = 500;
const MAX_CHARS = 400_000;

/** A build's console log, which grows while the build runs; it follows the end until somebody scrolls up. */
export function BuildLog({ base, building }: { base: string; building: boolean }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a build that has ended is read once more, to its end.
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let start = 0;
    let read = '';
    const next = async (): Promise<void> => {
      try {
        const answer = await request(`${base}/logText/progressiveText`, {
          params: { start },
          signal: stop.signal,
          accept: 'text/plain',
        });
        read += await answer.text();
        start = Number(answer.headers.get('x-text-size') ?? start);
        setText(read.slice(-MAX_CHARS));
        setProblem('');
        if (answer.headers.get('x-more-data') === 'true') timer = setTimeout(next, POLL_MS);
      } catch (error) {
        if (stop.signal.aborted) return;
        setProblem(error instanceof Error ? error.message : String(error));
        timer = setTimeout(next, 4 * POLL_MS);
      }
    };
    void next();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [base, building]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text moves the end.
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <>
      {problem === '' ? null : <p role="alert">{problem}</p>}
      <pre
        ref={box}
        role="log"
        aria-label="Console log"
        // Keyboards scroll what has the focus.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable (WCAG 2.1.1).
        tabIndex={0}
        style={{ maxHeight: 420, overflow: 'auto', margin: 0, fontSize: 12 }}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          follows.current = scrollTop + clientHeight >= scrollHeight - 8;
        }}
      >
        {text}
      </pre>
    </>
  );
}
