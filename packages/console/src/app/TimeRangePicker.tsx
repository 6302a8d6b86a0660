import { Button, Popover, TextInput } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconClock, IconZoomOut } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { clock } from '../time/clock.ts';
import { describeRange, QUICK_RANGES, resolveInstant, shifted, zoomedOut } from '../time/range.ts';
import { useTime } from './TimeProvider.tsx';
import classes from './time-range.module.css';

const toField = (text: string): string => {
  if (!/^\d+$/.test(text)) return text;
  const date = new Date(Number(text));
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
};

const fromField = (text: string): string => {
  const at = /^now/.test(text.trim()) ? undefined : resolveInstant(text.replace(' ', 'T'), clock.now());
  return at === undefined ? text.trim() : String(at);
};

/** The one time range: quick choices, any two instants in Grafana's notation, shift and zoom. */
export function TimeRangePicker() {
  const time = useTime();
  const [isOpen, setOpen] = useState(false);
  return (
    <div className={classes.group}>
      <Button
        variant="default"
        h={34}
        px={6}
        className={classes.wide}
        aria-label="Earlier"
        title="Earlier (,)"
        onClick={() => time.setRaw(shifted(time.range, -1))}
      >
        <IconChevronLeft size={16} />
      </Button>
      <Popover opened={isOpen} onChange={setOpen} position="bottom-end" width={330} shadow="md" trapFocus returnFocus>
        <Popover.Target>
          <Button
            variant="default"
            h={34}
            px={10}
            fw={500}
            fz={13}
            leftSection={<IconClock size={15} stroke={1.8} />}
            onClick={() => setOpen(!isOpen)}
            aria-haspopup="dialog"
            aria-expanded={isOpen}
            title={`${new Date(time.range.from).toISOString()} – ${new Date(time.range.to).toISOString()} (UTC)`}
          >
            <span className={classes.label}>{describeRange(time.raw, time.now)}</span>
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={0}>
          <RangeForm key={`${time.raw.from}|${time.raw.to}`} onDone={() => setOpen(false)} />
        </Popover.Dropdown>
      </Popover>
      <Button
        variant="default"
        h={34}
        px={6}
        className={classes.wide}
        aria-label="Later"
        title="Later (.)"
        onClick={() => time.setRaw(shifted(time.range, 1))}
      >
        <IconChevronRight size={16} />
      </Button>
      <Button
        variant="default"
        h={34}
        px={8}
        className={classes.wide}
        aria-label="Zoom out"
        title="Zoom out (-)"
        onClick={() => time.setRaw(zoomedOut(time.range, clock.now()))}
      >
        <IconZoomOut size={16} stroke={1.8} />
      </Button>
    </div>
  );
}

function RangeForm({ onDone }: { onDone: () => void }) {
  const time = useTime();
  const [from, setFrom] = useState(toField(time.raw.from));
  const [to, setTo] = useState(toField(time.raw.to));
  const now = clock.now();
  const start = resolveInstant(fromField(from), now);
  const end = resolveInstant(fromField(to), now, true);
  const wrong = start === undefined ? 'from' : end === undefined ? 'to' : start >= end ? 'order' : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (wrong !== undefined) return;
    time.setRaw({ from: fromField(from), to: fromField(to) });
    onDone();
  };
  return (
    <div>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="From"
          size="xs"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
          error={wrong === 'from' ? 'Such as now-1h or 2026-01-31 12:00' : undefined}
        />
        <TextInput
          label="To"
          size="xs"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          error={wrong === 'to' ? 'Such as now' : wrong === 'order' ? 'Must be after “From”' : undefined}
        />
        <Button type="submit" size="xs" disabled={wrong !== undefined}>
          Apply
        </Button>
      </form>
      <div className={classes.quick}>
        {QUICK_RANGES.map((range) => (
          <button
            key={range.from}
            type="button"
            className={classes.choice}
            aria-pressed={range.from === time.raw.from && range.to === time.raw.to}
            onClick={() => {
              time.setRaw({ from: range.from, to: range.to });
              onDone();
            }}
          >
            {range.label}
          </button>
        ))}
      </div>
    </div>
  );
}
