import { messageOf } from '@kind-e2e/base';
import type { ContainerRecord } from '../runtime/container-record.ts';
import { execCommand, killGroup, spawnInContainer } from '../runtime/exec.ts';
import type { ViewMode } from '../runtime/view-probe.ts';
import { type ExecFlags, type ExecStatus, type ExecStreams, errorStatus, exitStatus } from './exec-streams.ts';

/** Runs a command in a container for a client, to its end or until the client is gone. */
export async function runExec(
  record: ContainerRecord,
  mode: ViewMode,
  argv: readonly string[],
  flags: ExecFlags,
  streams: ExecStreams,
): Promise<void> {
  let status: ExecStatus;
  try {
    status = flags.tty
      ? await runWithTerminal(record, mode, argv, flags, streams)
      : await runWithPipes(record, mode, argv, flags, streams);
  } catch (error) {
    status = errorStatus(messageOf(error));
  }
  await streams.finish(status);
}

function notFound(program: string): ExecStatus {
  const why = program.includes('/')
    ? `stat ${program}: no such file or directory`
    : 'executable file not found in $PATH';
  return errorStatus(
    `error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "${program}": ${why}: unknown`,
  );
}

function runWithPipes(
  record: ContainerRecord,
  mode: ViewMode,
  argv: readonly string[],
  flags: ExecFlags,
  streams: ExecStreams,
): Promise<ExecStatus> {
  return new Promise((resolve, reject) => {
    const child = spawnInContainer(record, mode, argv, {
      detached: true,
      stdio: [flags.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    let isMissing = false;
    child.stdio[3]?.on('data', () => {
      isMissing = true;
    });
    child.stdio[3]?.on('error', () => undefined);
    if (streams.stdout) child.stdout?.pipe(streams.stdout, { end: false });
    else child.stdout?.resume();
    if (streams.stderr) child.stderr?.pipe(streams.stderr, { end: false });
    else child.stderr?.resume();
    if (child.stdin) {
      child.stdin.on('error', () => undefined);
      if (streams.stdin) streams.stdin.pipe(child.stdin);
      else child.stdin.end();
    }
    const kill = (): void => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    if (streams.signal.aborted) kill();
    streams.signal.addEventListener('abort', kill, { once: true });
    child.once('error', reject);
    // A program that leaves a background process with its output open does not hold the client: the exit counts.
    child.once('exit', (code, signal) => {
      const finish = (): void => {
        streams.signal.removeEventListener('abort', kill);
        resolve(isMissing ? notFound(argv[0] ?? '') : exitStatus(code ?? signalCode(signal)));
      };
      child.once('close', finish);
    });
  });
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function signalCode(signal: NodeJS.Signals | null): number {
  return 128 + (SIGNAL_NUMBERS[signal ?? 'SIGKILL'] ?? 9);
}

/** What a terminal takes as the end of input. */
const END_OF_TRANSMISSION = Buffer.from([4]);

async function runWithTerminal(
  record: ContainerRecord,
  mode: ViewMode,
  argv: readonly string[],
  flags: ExecFlags,
  streams: ExecStreams,
): Promise<ExecStatus> {
  const { spawn } = await import('@lydell/node-pty');
  const command = execCommand(record, mode, argv);
  let size = { cols: 80, rows: 24 };
  let resize = (_cols: number, _rows: number): void => undefined;
  streams.onResize(({ Width, Height }) => {
    size = { cols: Width, rows: Height };
    resize(Width, Height);
  });
  // The first size comes with the streams; a short turn lets it in before the program asks.
  await new Promise((resolve) => setImmediate(resolve));
  const terminal = spawn(command.file, [...command.args], {
    name: 'xterm',
    cols: size.cols,
    rows: size.rows,
    cwd: command.cwd,
    env: { ...command.env, TERM: command.env.TERM ?? 'xterm' },
    encoding: null,
  });
  resize = (cols, rows) => {
    try {
      terminal.resize(cols, rows);
    } catch {
      // The program has ended.
    }
  };
  // The types say text only; the terminal takes bytes, which may end in the middle of a character.
  const write = (data: Buffer): void => terminal.write(data as unknown as string);
  const { stdout, stdin } = streams;
  terminal.onData((data: string | Buffer) => {
    if (!stdout || stdout.write(data)) return;
    terminal.pause();
    stdout.once('drain', () => terminal.resume());
  });
  if (stdin && flags.stdin) {
    stdin.on('data', (data: Buffer) => write(data));
    stdin.once('end', () => write(END_OF_TRANSMISSION));
  }
  return new Promise((resolve) => {
    const kill = (): void => {
      killGroup(terminal.pid);
      terminal.kill('SIGKILL');
    };
    if (streams.signal.aborted) kill();
    streams.signal.addEventListener('abort', kill, { once: true });
    terminal.onExit(({ exitCode, signal }) => {
      streams.signal.removeEventListener('abort', kill);
      resolve(exitStatus(signal ? 128 + signal : exitCode));
    });
  });
}
