import { Button, Checkbox, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Parameter } from './jenkins.ts';

type Values = Readonly<Record<string, string>>;

/** Asks for parameters as they are declared, with what they default to. */
export function ParameterForm({
  parameters,
  submit,
  label,
  onCancel,
  cancelLabel = 'Cancel',
}: {
  parameters: readonly Parameter[];
  submit: (values: Values) => void;
  label: string;
  onCancel?: (() => void) | undefined;
  cancelLabel?: string;
}) {
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(parameters.map((one) => [one.name, String(one.defaultParameterValue?.value ?? '')])),
  );
  return (
    <form
      style={{ display: 'grid', gap: 10, maxWidth: 460 }}
      onSubmit={(event) => {
        event.preventDefault();
        submit(values);
      }}
    >
      {parameters.map((one) => (
        <Field
          key={one.name}
          parameter={one}
          value={values[one.name] ?? ''}
          onChange={(value) => setValues({ ...values, [one.name]: value })}
        />
      ))}
      <div style={{ display: 'flex', gap: 8 }}>
        <Button size="xs" type="submit">
          {label}
        </Button>
        {onCancel === undefined ? null : (
          <Button size="xs" variant="default" onClick={onCancel}>
            {cancelLabel}
          </Button>
        )}
      </div>
    </form>
  );
}

function Field({
  parameter: { name, description, type, choices },
  value,
  onChange,
}: {
  parameter: Parameter;
  value: string;
  onChange: (value: string) => void;
}) {
  const shared = { label: name, description: description || undefined, size: 'xs' as const };
  switch (type) {
    case 'BooleanParameterDefinition':
      return (
        <Checkbox
          {...shared}
          checked={value === 'true'}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
      );
    case 'ChoiceParameterDefinition':
      return (
        <Select
          {...shared}
          data={choices ?? []}
          value={value}
          allowDeselect={false}
          onChange={(next) => onChange(next ?? '')}
        />
      );
    case 'TextParameterDefinition':
      return (
        <Textarea
          {...shared}
          autosize
          minRows={2}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'PasswordParameterDefinition':
      return <PasswordInput {...shared} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
    default:
      return <TextInput {...shared} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}
