import { useEffect, useRef } from 'react';
import { clock } from '../time/clock.ts';

/** How long a page that one goes back to may take until it is as tall as it was. */
const RESTORE_MS = 3000;

const here = (): string => `${window.location.pathname}${window.location.search}`;

/**
 * A new page begins at its top; one that the browser goes back to stands where it stood. The browser's own way
 * (`history.scrollRestoration = 'auto'`) gives up when the list is not there yet at the moment of `popstate`.
 */
export function useScrollMemory(path: string): void {
  const positions = useRef(new Map<string, number>());
  const isGoingBack = useRef(false);

  useEffect(() => {
    window.history.scrollRestoration = 'manual';
    let address = here();
    let stop: (() => void) | undefined;
    const remember = (): void => {
      // A scroll that comes of the page having changed belongs to neither address.
      if (address === here()) positions.current.set(address, window.scrollY);
      address = here();
    };
    const onPop = (): void => {
      isGoingBack.current = true;
      address = here();
      const wanted = positions.current.get(address) ?? 0;
      const until = clock.now() + RESTORE_MS;
      stop?.();
      let frame = 0;
      const restore = (): void => {
        window.scrollTo(0, wanted);
        if (Math.abs(window.scrollY - wanted) > 1 && clock.now() < until) frame = requestAnimationFrame(restore);
      };
      frame = requestAnimationFrame(restore);
      // Who scrolls by hand in the meantime has the last word.
      const giveUp = (): void => cancelAnimationFrame(frame);
      for (const event of ['wheel', 'touchstart', 'keydown'])
        window.addEventListener(event, giveUp, { once: true, passive: true });
      stop = giveUp;
    };
    window.addEventListener('scroll', remember, { passive: true });
    window.addEventListener('popstate', onPop, { capture: true });
    return () => {
      stop?.();
      window.removeEventListener('scroll', remember);
      window.removeEventListener('popstate', onPop, { capture: true });
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: at each change of the page
  useEffect(() => {
    if (!isGoingBack.current) window.scrollTo(0, 0);
    isGoingBack.current = false;
  }, [path]);
}
