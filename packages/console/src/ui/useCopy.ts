import { useCallback, useState } from 'react';
import { clock } from '../time/clock.ts';

/** Copies text; `isCopied` is true for a moment afterwards. */
export function useCopy(): { isCopied: boolean; copy: (text: string) => void } {
  const [isCopied, setCopied] = useState(false);
  const copy = useCallback((text: string) => {
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        clock.after(1500, () => setCopied(false));
      },
      () => setCopied(false),
    );
  }, []);
  return { isCopied, copy };
}
