import { yaml } from '@codemirror/lang-yaml';
import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import { applyObject, type KubeObject, type Resource } from '../api/kubernetes.ts';
import { Badge } from '../ui/Value.tsx';
import { QueryEditor } from './QueryEditor.tsx';
import { fromYaml, lineOfPath, toYaml } from './yaml.ts';

export interface YamlFinding {
  severity: 'error' | 'warning';
  message: string;
  path: readonly (string | number)[];
}

interface Props {
  object: KubeObject;
  resource: Resource;
  findings?: readonly YamlFinding[];
  onApplied?: () => void;
}

const NO_FINDINGS: readonly YamlFinding[] = [];

/** An object as YAML that can be edited and applied (server-side, after a dry run); findings with the line they concern. */
export function YamlView({ object, resource, findings = NO_FINDINGS, onApplied }: Props) {
  const original = useMemo(() => toYaml(object), [object]);
  const [text, setText] = useState(original);
  const [state, setState] = useState<{ tone: 'ok' | 'bad' | 'plain'; message: string }>();
  const language = useMemo(() => yaml(), []);
  const isChanged = text !== original;
  const marks = useMemo(
    () => findings.map(({ severity, message, path }) => ({ severity, message, line: lineOfPath(original, path) })),
    [findings, original],
  );
  const submit = async (isDryRun: boolean): Promise<void> => {
    try {
      const edited = fromYaml(text);
      setState({ tone: 'plain', message: isDryRun ? 'Checking' : 'Applying' });
      await applyObject(resource, edited, true);
      if (!isDryRun) await applyObject(resource, edited);
      setState({ tone: 'ok', message: isDryRun ? 'The server accepts it. Nothing is changed yet.' : 'Applied.' });
      if (!isDryRun) onApplied?.();
    } catch (error) {
      setState({ tone: 'bad', message: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <div style={{ display: 'grid', gap: 10 }}>
      {findings.map((finding, index) => (
        <div
          key={`${finding.message}${finding.path.join('.')}`}
          style={{ display: 'flex', gap: 8, alignItems: 'baseline', fontSize: 13 }}
        >
          <Badge tone={finding.severity === 'error' ? 'bad' : 'warn'}>line {marks[index]?.line}</Badge>
          <span>
            {finding.message} <span className="mono dim">{finding.path.join('.')}</span>
          </span>
        </div>
      ))}
      <QueryEditor
        value={text}
        language={language}
        onChange={setText}
        onRun={() => void submit(true)}
        label="YAML"
        multiline
        marks={isChanged ? undefined : marks}
      />
      <div style={{ display: 'flex', gap: 8, alignItems: 'center', flexWrap: 'wrap' }}>
        <Button size="xs" variant="default" disabled={!isChanged} onClick={() => void submit(true)}>
          Check
        </Button>
        <Button size="xs" disabled={!isChanged} onClick={() => void submit(false)}>
          Apply
        </Button>
        {isChanged ? (
          <Button size="xs" variant="subtle" color="gray" onClick={() => setText(original)}>
            Undo my changes
          </Button>
        ) : null}
        {state ? (
          <span
            role="status"
            style={{
              color: state.tone === 'bad' ? 'var(--bad)' : state.tone === 'ok' ? 'var(--ok)' : undefined,
              fontSize: 13,
            }}
          >
            {state.message}
          </span>
        ) : null}
      </div>
    </div>
  );
}
