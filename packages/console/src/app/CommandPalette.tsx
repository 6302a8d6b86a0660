import { Modal, TextInput, useMantineColorScheme } from '@mantine/core';
import { IconBolt, IconBox, IconCircleDot, IconSearch, IconTimeline } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { services } from '../api/jaeger.ts';
import { listObjects, RESOURCES } from '../api/kubernetes.ts';
import { QUICK_RANGES } from '../time/range.ts';
import { type Candidate, rankCandidates, traceIdIn } from './command-search.ts';
import classes from './frame.module.css';
import { NAVIGATION } from './navigation.ts';
import { useTime } from './TimeProvider.tsx';
import { hrefTo } from './url-state.ts';

interface Command extends Candidate {
  icon: ReactNode;
  run: () => void;
}

interface Props {
  isOpen: boolean;
  onClose: () => void;
  onHelp: () => void;
}

/** Finds a trace by id, a service, a pod, a page or a command. */
export function CommandPalette({ isOpen, onClose, onHelp }: Props) {
  return (
    <Modal.Root opened={isOpen} onClose={onClose} size={600} yOffset="12vh" transitionProps={{ duration: 0 }}>
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label="Search">
        <Modal.Body p={0}>{isOpen ? <PaletteBody onClose={onClose} onHelp={onHelp} /> : null}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function PaletteBody({ onClose, onHelp }: Omit<Props, 'isOpen'>) {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const commands = useCommands(onHelp);
  const traceId = traceIdIn(text);
  const found = useMemo(() => {
    const ranked = rankCandidates(commands, text).slice(0, 14);
    if (traceId === undefined) return ranked;
    const open: Command = {
      group: 'Trace',
      label: `Open trace ${traceId}`,
      icon: <IconTimeline size={17} stroke={1.7} />,
      run: () => navigate(hrefTo(`/jaeger/trace/${traceId}`)),
    };
    return [open, ...ranked];
  }, [commands, text, traceId]);

  const choose = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const by = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + by + found.length) % Math.max(found.length, 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(found[active]);
    }
  };
  return (
    <div className={classes.palette}>
      <TextInput
        data-autofocus
        size="lg"
        variant="unstyled"
        px="md"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        placeholder="Trace id, service, pod, page or command"
        aria-label="Search"
        role="combobox"
        aria-expanded
        aria-controls="palette-results"
        aria-activedescendant={`palette-${active}`}
        leftSection={<IconSearch size={18} />}
        leftSectionPointerEvents="none"
        leftSectionWidth={24}
        styles={{ input: { paddingLeft: 34 } }}
      />
      <div className={classes.results} id="palette-results" role="listbox" aria-label="Results">
        {found.length === 0 ? (
          <div className={classes.group}>Nothing of that name. A trace id has 16 or 32 hexadecimal digits.</div>
        ) : null}
        {found.map((command, index) => (
          <div key={`${command.group}|${command.label}`}>
            {found[index - 1]?.group === command.group ? null : <div className={classes.group}>{command.group}</div>}
            <button
              type="button"
              id={`palette-${index}`}
              role="option"
              aria-selected={index === active}
              tabIndex={-1}
              className={classes.result}
              data-active={index === active}
              onMouseMove={() => setActive(index)}
              onClick={() => choose(command)}
            >
              {command.icon}
              <span className="ellipsis">{command.label}</span>
              {command.detail ? <span className={classes.detail}>{command.detail}</span> : null}
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

function useCommands(onHelp: () => void): Command[] {
  const time = useTime();
  const { setColorScheme } = useMantineColorScheme();
  const serviceList = useQuery({
    queryKey: ['jaeger', 'services'],
    queryFn: ({ signal }) => services(signal),
    staleTime: 30_000,
  });
  const pods = useQuery({
    queryKey: ['kube', 'pods', 'palette'],
    queryFn: ({ signal }) => listObjects(RESOURCES.pods, { signal }),
    staleTime: 10_000,
  });
  return useMemo(() => {
    const go = (path: string, params?: Record<string, string>) => () => navigate(hrefTo(path, params));
    const bolt = <IconBolt size={17} stroke={1.7} />;
    return [
      ...NAVIGATION.map((entry) => ({
        group: 'Pages',
        label: entry.label,
        detail: entry.description,
        icon: <entry.icon size={17} stroke={1.7} />,
        run: entry.external ? () => window.location.assign(entry.path) : go(entry.path),
      })),
      ...(serviceList.data ?? []).map((name) => ({
        group: 'Services: traces',
        label: name,
        icon: <IconCircleDot size={17} stroke={1.7} />,
        run: go('/jaeger/search', { service: name }),
      })),
      ...(pods.data?.items ?? []).map((pod) => ({
        group: 'Pods',
        label: pod.metadata.name,
        detail: pod.metadata.namespace ?? '',
        icon: <IconBox size={17} stroke={1.7} />,
        run: go('/cluster', { kind: 'pods', object: `${pod.metadata.namespace}/${pod.metadata.name}` }),
      })),
      ...QUICK_RANGES.map((range) => ({
        group: 'Commands',
        label: `Time: ${range.label.toLowerCase()}`,
        icon: bolt,
        run: () => time.setRaw({ from: range.from, to: range.to }),
      })),
      { group: 'Commands', label: 'Refresh now', icon: bolt, run: time.refreshNow },
      {
        group: 'Commands',
        label: 'Copy a link to this page',
        icon: bolt,
        run: () => void navigator.clipboard.writeText(window.location.href).catch(() => undefined),
      },
      { group: 'Commands', label: 'Light scheme', icon: bolt, run: () => setColorScheme('light') },
      { group: 'Commands', label: 'Dark scheme', icon: bolt, run: () => setColorScheme('dark') },
      { group: 'Commands', label: 'Scheme of the system', icon: bolt, run: () => setColorScheme('auto') },
      { group: 'Commands', label: 'Keyboard shortcuts', icon: bolt, run: onHelp },
    ] satisfies Command[];
  }, [serviceList.data, pods.data, time, setColorScheme, onHelp]);
}
