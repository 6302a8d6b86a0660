import { useEffect, useRef } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { clock } from '../time/clock.ts';
import { shifted, zoomedOut } from '../time/range.ts';
import { NAVIGATION } from './navigation.ts';
import { useTime } from './TimeProvider.tsx';
import { hrefTo } from './url-state.ts';

const CHORD_MS = 2000;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

/** j and k move the focus along the rows of the page (elements with `data-row`). */
function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')].filter((row) => row.offsetParent !== null);
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

export function useShortcuts(call: { openSearch: () => void; openHelp: () => void }): void {
  const time = useTime();
  const latest = useRef({ time, call });
  latest.current = { time, call };
  useEffect(() => {
    let chordAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent): void => {
      const { time: now, call: actions } = latest.current;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        actions.openSearch();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || event.defaultPrevented) return;
      if (document.querySelector('[role="dialog"][aria-modal="true"]')) return;
      if (clock.now() - chordAt < CHORD_MS) {
        chordAt = Number.NEGATIVE_INFINITY;
        const entry = NAVIGATION.find((item) => item.key === event.key);
        if (entry) {
          event.preventDefault();
          if (entry.external) window.location.assign(entry.path);
          else navigate(hrefTo(entry.path));
        }
        return;
      }
      const actionsByKey: Record<string, () => void> = {
        g: () => {
          chordAt = clock.now();
        },
        '/': actions.openSearch,
        '?': actions.openHelp,
        r: now.refreshNow,
        ',': () => now.setRaw(shifted(now.range, -1)),
        '.': () => now.setRaw(shifted(now.range, 1)),
        '-': () => now.setRaw(zoomedOut(now.range, clock.now())),
        n: () => now.setRaw({ from: 'now-15m', to: 'now' }),
        j: () => moveRow(1),
        k: () => moveRow(-1),
      };
      const action = actionsByKey[event.key];
      if (action) {
        event.preventDefault();
        action();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
