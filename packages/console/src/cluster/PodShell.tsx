import '@xterm/xterm/css/xterm.css';
import { Button, Select, TextInput } from '@mantine/core';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'react';
import { execUrl, type KubeObject } from '../api/kubernetes.ts';
import { Badge } from '../ui/Value.tsx';
import classes from './cluster.module.css';
import { CHANNELS, exitText, frameOf } from './exec-protocol.ts';
import { readPod } from './read.ts';

/** A terminal in a container: exec over WebSocket, subprotocol `v5.channel.k8s.io`, with TTY and resize. */
export function PodShell({ pod }: { pod: KubeObject }) {
  const view = readPod(pod);
  const host = useRef<HTMLDivElement>(null);
  const [container, setContainer] = useState(view.containers[0]?.name ?? '');
  const [command, setCommand] = useState('sh');
  const [session, setSession] = useState(0);
  const [state, setState] = useState<'connecting' | 'open' | 'ended'>('connecting');
  const chosen = useRef(command);
  chosen.current = command;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `session` starts it again
  useEffect(() => {
    if (host.current === null) return undefined;
    const terminal = new Terminal({ fontSize: 13, cursorBlink: true, theme: { background: '#0c0f13' } });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(host.current);
    fit.fit();
    terminal.focus();
    setState('connecting');
    const socket = new WebSocket(
      execUrl({ namespace: view.namespace, name: view.name, container }, chosen.current.trim().split(/\s+/)),
      ['v5.channel.k8s.io'],
    );
    socket.binaryType = 'arraybuffer';
    const resize = (): void => {
      fit.fit();
      if (socket.readyState === WebSocket.OPEN)
        socket.send(frameOf(CHANNELS.resize, JSON.stringify({ Width: terminal.cols, Height: terminal.rows })));
    };
    let isEnded = false;
    const end = (text: string): void => {
      if (isEnded) return;
      isEnded = true;
      setState('ended');
      terminal.write(`\r\n\x1b[90m${text}\x1b[0m\r\n`);
    };
    socket.onopen = () => {
      setState('open');
      resize();
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      const bytes = new Uint8Array(event.data);
      const payload = bytes.subarray(1);
      if (bytes[0] === CHANNELS.stdout || bytes[0] === CHANNELS.stderr) terminal.write(payload);
      else if (bytes[0] === CHANNELS.status) end(exitText(new TextDecoder().decode(payload)));
    };
    socket.onclose = (event) => end(event.reason || 'The session has ended.');
    const typed = terminal.onData((data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frameOf(CHANNELS.stdin, data));
    });
    const observer = new ResizeObserver(resize);
    observer.observe(host.current);
    return () => {
      isEnded = true;
      observer.disconnect();
      typed.dispose();
      socket.close();
      terminal.dispose();
    };
  }, [view.namespace, view.name, container, session]);
  return (
    <>
      <form
        className={classes.toolbar}
        onSubmit={(event) => {
          event.preventDefault();
          setSession(session + 1);
        }}
      >
        {view.containers.length > 1 ? (
          <Select
            size="xs"
            aria-label="Container"
            data={view.containers.map((item) => item.name)}
            value={container}
            onChange={(value) => setContainer(value ?? container)}
          />
        ) : null}
        <TextInput
          size="xs"
          aria-label="Command"
          value={command}
          onChange={(event) => setCommand(event.currentTarget.value)}
          classNames={{ input: 'mono' }}
        />
        <Button size="xs" type="submit" variant="default">
          Start again
        </Button>
        <Badge tone={state === 'open' ? 'ok' : state === 'ended' ? 'warn' : 'plain'}>{state}</Badge>
      </form>
      <div ref={host} className={classes.terminal} />
    </>
  );
}
