import { createHash } from 'node:crypto';
import { compileRegex, expandTemplate, Labels } from '@kind-e2e/telemetry';
import type { RelabelConfig } from './config-model.ts';

/** Applies relabelling rules in order (model/relabel/relabel.go); undefined where one drops the target or sample. */
export function relabel(labels: Labels, configs: readonly RelabelConfig[]): Labels | undefined {
  if (configs.length === 0) return labels;
  const map = new Map(labels);
  for (const config of configs) if (!apply(map, config)) return undefined;
  return Labels.from(map);
}

function apply(labels: Map<string, string>, config: RelabelConfig): boolean {
  const regex = compileRegex(config.regex, { dotAll: true });
  const value = config.sourceLabels.map((name) => labels.get(name) ?? '').join(config.separator);
  const set = (name: string, text: string): void => {
    if (text === '') labels.delete(name);
    else labels.set(name, text);
  };
  switch (config.action) {
    case 'keep':
      return regex.testFull(value);
    case 'drop':
      return !regex.testFull(value);
    case 'keepequal':
      return (labels.get(config.targetLabel) ?? '') === value;
    case 'dropequal':
      return (labels.get(config.targetLabel) ?? '') !== value;
    case 'replace': {
      const match = regex.findFull(value);
      if (!match) return true;
      const target = expandTemplate(config.targetLabel, regex, match);
      // A name that the template made invalid changes nothing, as in Prometheus.
      if (target !== '') set(target, expandTemplate(config.replacement, regex, match));
      return true;
    }
    case 'hashmod': {
      const hash = createHash('md5').update(value).digest();
      set(config.targetLabel, String(hash.readBigUInt64BE(8) % BigInt(config.modulus)));
      return true;
    }
    case 'lowercase':
      set(
        config.targetLabel,
        mapLetters(value, (letter) => letter.toLowerCase()),
      );
      return true;
    case 'uppercase':
      set(
        config.targetLabel,
        mapLetters(value, (letter) => letter.toUpperCase()),
      );
      return true;
    case 'labelmap':
      for (const [name, text] of [...labels]) {
        const match = regex.findFull(name);
        if (match) set(expandTemplate(config.replacement, regex, match), text);
      }
      return true;
    case 'labeldrop':
      for (const name of [...labels.keys()]) if (regex.testFull(name)) labels.delete(name);
      return true;
    case 'labelkeep':
      for (const name of [...labels.keys()]) if (!regex.testFull(name)) labels.delete(name);
      return true;
  }
}

/** Letter by letter, as Go's strings.ToUpper: what would become several letters stays. */
function mapLetters(text: string, map: (letter: string) => string): string {
  let out = '';
  for (const letter of text) {
    const mapped = map(letter);
    out += [...mapped].length === 1 ? mapped : letter;
  }
  return out;
}
