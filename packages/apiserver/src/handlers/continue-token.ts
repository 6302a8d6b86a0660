import { badRequest, goQuote } from '@kind-e2e/kube-api';

/** Where a list goes on: at a revision, after a key (apiserver `storage.EncodeContinue`). */
export interface ContinueToken {
  /** -1: at whatever the revision is now. */
  readonly revision: number;
  /** `namespace/name` or `name`; the list goes on behind it. */
  readonly after: string;
}

const VERSION = 'meta.k8s.io/v1';

export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: token.revision, start: `${token.after}\u0000` })).toString(
    'base64url',
  );
}

export function decodeContinue(text: string): ContinueToken {
  const fail = (problem: string): Error => badRequest(`invalid continue token: continue key is not valid: ${problem}`);
  const strange = /[^A-Za-z0-9_-]/.exec(text);
  if (strange) throw fail(`illegal base64 data at input byte ${strange.index}`);
  if (text.length % 4 === 1) throw fail(`illegal base64 data at input byte ${text.length}`);
  const bytes = Buffer.from(text, 'base64url');
  let token: unknown;
  try {
    token = JSON.parse(bytes.toString('utf8'));
  } catch {
    const first = bytes[0];
    if (first === undefined) throw fail('unexpected end of JSON input');
    const isText = first >= 0x20 && first < 0x7f;
    if (isText && '{["0123456789-tfn '.includes(String.fromCharCode(first))) throw fail('unexpected end of JSON input');
    const shown = isText
      ? goQuote(String.fromCharCode(first)).slice(1, -1)
      : `\\x${first.toString(16).padStart(2, '0')}`;
    throw fail(`invalid character '${shown}' looking for beginning of value`);
  }
  const { v, rv, start } = (token ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== VERSION) throw fail(`server does not recognize this encoded version "${typeof v === 'string' ? v : ''}"`);
  if (typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0)
    throw fail('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') throw fail('encoded start key empty (version meta.k8s.io/v1)');
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}
