import type { Labels } from '@kind-e2e/telemetry';
import { LineLabels } from './line-labels.ts';
import { jsonStage, logfmtStage } from './parsers.ts';

export interface LineFields {
  readonly parser: 'json' | 'logfmt';
  readonly fields: ReadonlyMap<string, string>;
}

const PARSERS = [
  { parser: 'json' as const, parse: jsonStage() },
  { parser: 'logfmt' as const, parse: logfmtStage(false, false) },
];

/**
 * What `json` finds in a line or, where it is no JSON, `logfmt`; undefined where it is neither
 * (pkg/querier/queryrange/detected_fields.go, parseEntry).
 */
export function fieldsOfLine(text: string, stream: Labels, structuredMetadata: Labels): LineFields | undefined {
  const labels = new LineLabels();
  for (const { parser, parse } of PARSERS) {
    labels.reset(stream, structuredMetadata);
    parse({ text, timestampNs: 0n, labels });
    if (labels.error === '') return { parser, fields: labels.parsed };
  }
  return undefined;
}
