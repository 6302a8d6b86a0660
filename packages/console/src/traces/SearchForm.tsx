import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { operations } from '../api/jaeger.ts';
import { updateQuery, useQueryState } from '../app/url-state.ts';
import { isSearchDuration, parseTags } from './search-state.ts';
import classes from './traces.module.css';

interface Props {
  services: readonly string[];
  service: string;
  problem: string | undefined;
}

export function SearchForm({ services, service, problem }: Props) {
  const [operation] = useQueryState('operation');
  const [tags] = useQueryState('tags');
  const [min] = useQueryState('minDuration');
  const [max] = useQueryState('maxDuration');
  const [limit] = useQueryState('limit', '100');
  // What is typed is kept here until the form is sent; the address decides again when it changes.
  return <Fields key={`${tags}|${min}|${max}`} {...{ services, service, operation, tags, min, max, limit, problem }} />;
}

interface FieldsProps extends Props {
  operation: string;
  tags: string;
  min: string;
  max: string;
  limit: string;
}

function Fields({ services, service, operation, problem, limit, ...initial }: FieldsProps) {
  const [tags, setTags] = useState(initial.tags);
  const [min, setMin] = useState(initial.min);
  const [max, setMax] = useState(initial.max);
  const names = useQuery({
    queryKey: ['jaeger', 'operations', service],
    queryFn: ({ signal }) => operations(service, signal),
    enabled: service !== '',
    staleTime: 15_000,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isSearchDuration(min) && isSearchDuration(max)) updateQuery({ tags, minDuration: min, maxDuration: max });
  };
  const durationError = (text: string): string | undefined =>
    isSearchDuration(text) ? undefined : 'Such as 1.2s, 100ms';
  return (
    <form className={`card ${classes.form}`} onSubmit={submit} aria-label="Search traces">
      <Select
        label="Service"
        size="xs"
        searchable
        allowDeselect={false}
        data={[...services]}
        value={service || null}
        onChange={(value) => updateQuery({ service: value ?? undefined, operation: undefined })}
        nothingFoundMessage="No such service"
      />
      <Select
        label="Operation"
        size="xs"
        searchable
        clearable
        placeholder="All"
        data={names.data ?? (operation ? [operation] : [])}
        value={operation || null}
        onChange={(value) => updateQuery({ operation: value ?? undefined })}
      />
      <TextInput
        label="Tags"
        size="xs"
        placeholder="error=true http.status_code=500"
        value={tags}
        onChange={(event) => setTags(event.currentTarget.value)}
        error={parseTags(tags).problem ?? problem}
        classNames={{ input: 'mono' }}
      />
      <div className={classes.pair}>
        <TextInput
          label="Longer than"
          size="xs"
          placeholder="100ms"
          value={min}
          onChange={(event) => setMin(event.currentTarget.value)}
          error={durationError(min)}
        />
        <TextInput
          label="Shorter than"
          size="xs"
          placeholder="1.2s"
          value={max}
          onChange={(event) => setMax(event.currentTarget.value)}
          error={durationError(max)}
        />
      </div>
      <Select
        label="At most"
        size="xs"
        allowDeselect={false}
        value={limit}
        data={['20', '50', '100', '200', '500', '1000']}
        onChange={(value) => updateQuery({ limit: value === '100' ? undefined : (value ?? undefined) })}
      />
      <Button type="submit" size="xs">
        Search
      </Button>
    </form>
  );
}
