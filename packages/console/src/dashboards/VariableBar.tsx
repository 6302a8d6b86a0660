import { MultiSelect, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import classes from './dashboard.module.css';
import type { Variable } from './model.ts';
import type { VariableState } from './useVariables.ts';
import { ALL } from './variables.ts';

const HIDE_ALL = 2;

export function VariableBar({ variables, state }: { variables: readonly Variable[]; state: VariableState }) {
  const shown = variables.filter((variable) => variable.hide !== HIDE_ALL && variable.type !== 'constant');
  if (shown.length === 0) return null;
  return (
    <div className={classes.variables}>
      {shown.map((variable) => (
        <VariableField key={variable.name} variable={variable} state={state} />
      ))}
    </div>
  );
}

function VariableField({ variable, state }: { variable: Variable; state: VariableState }) {
  const label = variable.label || variable.name;
  const values = state.values[variable.name] ?? [];
  const problem = state.problems[variable.name];
  const data = [
    ...(variable.includeAll ? [{ value: ALL, label: 'All' }] : []),
    ...[...new Set([...(state.options[variable.name] ?? []), ...values.filter((value) => value !== ALL)])].map(
      (value) => ({ value, label: value }),
    ),
  ];
  if (variable.type === 'textbox')
    return <TextBox label={label} initial={values[0] ?? ''} onDone={(text) => state.set(variable.name, [text])} />;
  if (variable.multi)
    return (
      <MultiSelect
        label={label}
        size="xs"
        miw={180}
        maw={420}
        searchable
        clearable
        data={data}
        value={values}
        error={problem}
        onChange={(next) => {
          const last = next.at(-1);
          state.set(variable.name, last === ALL ? [ALL] : next.filter((value) => value !== ALL));
        }}
      />
    );
  return (
    <Select
      label={label}
      size="xs"
      w={200}
      searchable
      allowDeselect={false}
      data={data}
      value={values[0] ?? null}
      error={problem}
      onChange={(value) => value !== null && state.set(variable.name, [value])}
    />
  );
}

function TextBox({ label, initial, onDone }: { label: string; initial: string; onDone: (text: string) => void }) {
  const [text, setText] = useState(initial);
  return (
    <TextInput
      label={label}
      size="xs"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => text !== initial && onDone(text)}
      onKeyDown={(event) => event.key === 'Enter' && onDone(text)}
    />
  );
}
