import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { RealLab } from '../src/index.ts';
import type { RealClusterOptions } from '../src/options.ts';
import type { StepEvent } from '../src/run/execute.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface Machine {
  cpus: number;
  memory: number;
  dockerVersion: string;
  dockerRoot: string;
  dockerDown?: string;
  kindVersion: string;
  helmVersion: string;
  kubectlVersion: string;
  contexts?: string[];
  serverVersion?: string;
  isAdmin?: boolean;
}

export interface Fault {
  fail?: string;
  says?: string;
  /** In the midst of the work of the first command that matches. */
  hang?: string;
}

const GOOD: Machine = {
  cpus: 8,
  memory: 16e9,
  dockerVersion: '29.1.0',
  dockerRoot: '/nowhere/docker',
  kindVersion: '0.33.0',
  helmVersion: 'v4.1.4+g05fa379',
  kubectlVersion: '1.37.1',
};

/** A world of stand-in programs, and labs in it. */
export class StandIns {
  readonly folder = mkdtempSync(join(tmpdir(), 'kind-stand-ins-'));
  readonly dataDir = join(this.folder, 'data');
  readonly world = join(this.folder, 'world');
  readonly procDir = join(this.folder, 'proc');
  readonly bin = join(this.folder, 'bin');
  readonly asked: string[] = [];
  readonly #ports: { gateway: number; api: number; registry: number };

  constructor(ports: { gateway: number; api: number; registry: number }) {
    this.#ports = ports;
    mkdirSync(this.world, { recursive: true });
    cpSync(join(import.meta.dirname, 'stand-ins'), this.bin, { recursive: true });
    // What lies outside of a package of type module would be read as CommonJS.
    writeFileSync(join(this.bin, 'package.json'), '{"type":"module"}');
    for (const name of ['docker', 'kind', 'helm', 'kubectl']) chmodSync(join(this.bin, name), 0o755);
    this.setMachine({});
    this.setInotify(524_288, 512);
  }

  static async make(): Promise<StandIns> {
    return new StandIns({ gateway: await freePort(), api: await freePort(), registry: await freePort() });
  }

  get ports(): { gateway: number; api: number; registry: number } {
    return this.#ports;
  }

  setMachine(change: Partial<Machine>): void {
    writeFileSync(join(this.world, 'machine.json'), JSON.stringify({ ...GOOD, ...change }));
  }

  setInotify(watches: number, instances: number): void {
    const folder = join(this.procDir, 'sys', 'fs', 'inotify');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'max_user_watches'), `${watches}\n`);
    writeFileSync(join(folder, 'max_user_instances'), `${instances}\n`);
  }

  setFault(fault: Fault): void {
    rmSync(join(this.world, 'hangs'), { force: true });
    writeFileSync(join(this.world, 'fault.json'), JSON.stringify(fault));
  }

  /** Whether a program waits in the midst of its work. */
  get hangs(): boolean {
    return existsSync(join(this.world, 'hangs'));
  }

  removeProgram(name: string): void {
    rmSync(join(this.bin, name));
  }

  lab(options: Partial<RealClusterOptions> = {}): RealLab {
    return new RealLab(this.options(options));
  }

  options(options: Partial<RealClusterOptions> = {}): RealClusterOptions {
    const path = [this.bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
    const programs = Object.fromEntries(
      ['docker', 'kind', 'helm', 'kubectl'].map((name) => [name, join(this.bin, name)]),
    );
    return {
      engine: 'kind',
      root: ROOT,
      dataDir: this.dataDir,
      env: { PATH: path, STAND_IN_WORLD: this.world, HOME: this.folder },
      programs,
      procDir: this.procDir,
      ports: this.#ports,
      oneNode: true,
      askUrl: async (url) => {
        this.asked.push(url);
        return 200;
      },
      ...options,
    };
  }

  async up(options: Partial<RealClusterOptions> = {}, signal = new AbortController().signal): Promise<StepEvent[]> {
    const events: StepEvent[] = [];
    await this.lab(options).up(signal, (event) => events.push(event));
    return events;
  }

  /** The command lines since the last time, without where this test's folders are. */
  takeCommands(): string[] {
    const file = join(this.world, 'commands.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    rmSync(file);
    return lines.map((line) => (JSON.parse(line) as string).replaceAll(this.dataDir, 'DATA'));
  }

  /** What is there of a kind: clusters, containers, releases, … */
  things(kind: string): string[] {
    const folder = join(this.world, kind);
    return existsSync(folder) ? readNames(folder) : [];
  }

  thing(kind: string, name: string): unknown {
    return JSON.parse(readFileSync(join(this.world, kind, encodeURIComponent(name)), 'utf8'));
  }

  setThing(kind: string, name: string, value: unknown): void {
    mkdirSync(join(this.world, kind), { recursive: true });
    writeFileSync(join(this.world, kind, encodeURIComponent(name)), JSON.stringify(value));
  }

  dropThing(kind: string, name: string): void {
    rmSync(join(this.world, kind, encodeURIComponent(name)), { force: true });
  }

  /** As if a step had never been done. */
  forgetStep(id: string): void {
    const file = join(this.dataDir, 'state.json');
    if (!existsSync(file)) return;
    const state = JSON.parse(readFileSync(file, 'utf8')) as { steps: Record<string, unknown> };
    delete state.steps[id];
    writeFileSync(file, JSON.stringify(state));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function readNames(folder: string): string[] {
  return readdirSync(folder).map(decodeURIComponent).sort();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
