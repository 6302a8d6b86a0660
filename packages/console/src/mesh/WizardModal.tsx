import { Button, Modal, NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { applyObject, type KubeObject, RESOURCES } from '../api/kubernetes.ts';
import { toYaml } from '../editors/yaml.ts';
import { type WizardInput, type WizardKind, wizardObject, wizardProblems } from './wizards.ts';

const TITLES: Readonly<Record<WizardKind, string>> = {
  weights: 'Split the traffic',
  delay: 'Delay requests',
  abort: 'Abort requests',
  timeout: 'Set a timeout',
  mirror: 'Mirror requests',
};

interface Props {
  kind: WizardKind;
  host: string;
  services: readonly string[];
  existing: KubeObject | undefined;
  onClose: () => void;
  onApplied: () => void;
}

/** Asks for a few figures, shows the YAML that they make, applies it on demand. */
export function WizardModal({ kind, host, services, existing, onClose, onApplied }: Props) {
  const [namespace = 'default', service = ''] = host.split('/');
  const [input, setInput] = useState<WizardInput>({
    kind,
    service,
    namespace,
    targets: [
      { host: service, subset: 'v1', weight: 90 },
      { host: service, subset: 'v2', weight: 10 },
    ],
    delaySeconds: 2,
    percent: 100,
    abortStatus: 503,
    timeoutSeconds: 1,
    mirrorHost: '',
  });
  const [state, setState] = useState<{ isBusy: boolean; problem: string }>({ isBusy: false, problem: '' });
  const object = wizardObject(input, existing);
  const problems = wizardProblems(input);
  const number = (
    label: string,
    key: 'delaySeconds' | 'percent' | 'abortStatus' | 'timeoutSeconds',
    suffix: string,
  ) => (
    <NumberInput
      label={label}
      value={input[key]}
      suffix={suffix}
      onChange={(value) => setInput({ ...input, [key]: Number(value) || 0 })}
    />
  );
  const apply = async (): Promise<void> => {
    setState({ isBusy: true, problem: '' });
    try {
      await applyObject(RESOURCES.virtualservices, object, true);
      await applyObject(RESOURCES.virtualservices, object);
      onApplied();
      onClose();
    } catch (error) {
      setState({ isBusy: false, problem: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <Modal opened onClose={onClose} size="lg" title={`${TITLES[kind]}: ${service} in ${namespace}`}>
      <div style={{ display: 'grid', gap: 12 }}>
        {kind === 'weights'
          ? input.targets.map((target, index) => {
              const set = (patch: Partial<typeof target>) =>
                setInput({
                  ...input,
                  targets: input.targets.map((item, place) => (place === index ? { ...item, ...patch } : item)),
                });
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a form
                <div key={index} style={{ display: 'grid', gridTemplateColumns: '1fr 1fr 110px', gap: 8 }}>
                  <Select
                    label="Host"
                    searchable
                    data={[...new Set([target.host, ...services])]}
                    value={target.host}
                    onChange={(value) => set({ host: value ?? '' })}
                  />
                  <TextInput
                    label="Subset"
                    value={target.subset}
                    onChange={(event) => set({ subset: event.currentTarget.value })}
                  />
                  <NumberInput
                    label="Weight"
                    value={target.weight}
                    min={0}
                    max={100}
                    suffix=" %"
                    onChange={(value) => set({ weight: Number(value) || 0 })}
                  />
                </div>
              );
            })
          : null}
        {kind === 'weights' ? (
          <div style={{ display: 'flex', gap: 8 }}>
            <Button
              size="compact-xs"
              variant="default"
              onClick={() =>
                setInput({ ...input, targets: [...input.targets, { host: service, subset: '', weight: 0 }] })
              }
            >
              One more
            </Button>
            <Button
              size="compact-xs"
              variant="default"
              disabled={input.targets.length < 2}
              onClick={() => setInput({ ...input, targets: input.targets.slice(0, -1) })}
            >
              One less
            </Button>
          </div>
        ) : null}
        {kind === 'delay' ? number('Delay', 'delaySeconds', ' s') : null}
        {kind === 'abort' ? number('Answer with status', 'abortStatus', '') : null}
        {kind === 'timeout' ? number('Timeout', 'timeoutSeconds', ' s') : null}
        {kind === 'mirror' ? (
          <Select
            label="Copies go to"
            searchable
            data={[...services]}
            value={input.mirrorHost || null}
            onChange={(value) => setInput({ ...input, mirrorHost: value ?? '' })}
          />
        ) : null}
        {kind === 'delay' || kind === 'abort' || kind === 'mirror'
          ? number('Share of the requests', 'percent', ' %')
          : null}
        <div>
          <div className="dim" style={{ fontSize: 12, marginBottom: 4 }}>
            {existing ? `Changes the VirtualService ${existing.metadata.name}` : 'Makes a VirtualService'}
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by the keyboard */}
          <section tabIndex={0} aria-label="YAML that will be applied" style={{ maxHeight: 320, overflow: 'auto' }}>
            <pre
              className="mono"
              style={{
                margin: 0,
                padding: 12,
                background: 'var(--surface-2)',
                borderRadius: 8,
              }}
            >
              {toYaml(object)}
            </pre>
          </section>
        </div>
        {[...problems, state.problem].filter(Boolean).map((problem) => (
          <div key={problem} role="alert" style={{ color: 'var(--bad)', fontSize: 13 }}>
            {problem}
          </div>
        ))}
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button disabled={problems.length > 0} loading={state.isBusy} onClick={() => void apply()}>
            Apply
          </Button>
        </div>
      </div>
    </Modal>
  );
}
