import { notAcceptable } from '@kind-e2e/kube-api';

/** How an object is sent: as it is, or as a view of meta.k8s.io. */
export type ObjectForm = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

export interface AcceptedForm {
  readonly encoding: 'json' | 'yaml';
  readonly form: ObjectForm;
  /** Version of the view, `v1` or `v1beta1`. */
  readonly viewVersion: string;
  readonly pretty: boolean;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const AVAILABLE = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const PLAIN: AcceptedForm = { encoding: 'json', form: 'object', viewVersion: '', pretty: false };
const VIEWS: ReadonlySet<string> = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/**
 * Chooses the form of an answer (apiserver `negotiation.NegotiateOutputMediaType`): the first of the client's types that
 * we have. Throws 406 where there is none; we send no protobuf.
 */
export function negotiateObject(accept: string | undefined, query: URLSearchParams): AcceptedForm {
  const pretty = isPretty(query);
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json')
    return pretty ? { ...PLAIN, pretty } : PLAIN;
  for (const range of parseAccept(accept)) {
    const encoding = encodingOf(range.type);
    if (encoding === undefined) continue;
    const as = range.parameters.get('as');
    if (as === undefined) return { ...PLAIN, encoding, pretty };
    const version = range.parameters.get('v') ?? '';
    if (VIEWS.has(as) && range.parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1'))
      return { encoding, form: as as ObjectForm, viewVersion: version, pretty };
  }
  throw notAcceptable(AVAILABLE);
}

/** Media ranges, best quality first, otherwise in the client's order (RFC 9110, 12.5.1). */
export function parseAccept(accept: string): MediaRange[] {
  return accept
    .split(',')
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters = new Map<string, string>();
      for (const piece of rest) {
        const at = piece.indexOf('=');
        if (at > 0) parameters.set(piece.slice(0, at).toLowerCase(), piece.slice(at + 1).replace(/^"|"$/g, ''));
      }
      const quality = Number(parameters.get('q') ?? 1);
      return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 1 };
    })
    .filter((range) => range.type !== '' && range.quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

function encodingOf(type: string): 'json' | 'yaml' | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  return undefined;
}

function isPretty(query: URLSearchParams): boolean {
  const value = query.get('pretty');
  return value !== null && value !== '0' && value !== 'false';
}
