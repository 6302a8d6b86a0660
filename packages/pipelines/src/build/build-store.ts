import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { LabError } from '@kind-e2e/base';
import type { TransferredFile } from '../agent/protocol.ts';
import type { Trigger } from '../jenkinsfile/ast.ts';
import type { BuildRecord } from './record.ts';

/** Where a job's Jenkinsfile comes from. */
export interface JobDefinition {
  readonly name: string;
  readonly description?: string;
  /** No build starts, by nobody and by no trigger. */
  readonly disabled?: boolean;
  /** The Jenkinsfile itself; else it is read from `scm`. */
  readonly script?: string;
  readonly scm?: {
    /** A path of this machine or any URL that git takes. */
    readonly url: string;
    readonly branch: string;
    /** Default `Jenkinsfile`. */
    readonly scriptPath?: string;
  };
}

/** What is known of a job from its last build, beside its definition. */
export interface JobState {
  readonly nextNumber: number;
  readonly lastCommit?: string;
  readonly triggers?: readonly Trigger[];
}

const NAME = /^[A-Za-z0-9][\w. -]{0,99}$/;

/**
 * Jobs and builds as files: `jobs/NAME/job.json`, `state.json`, `builds/N/{build.json,log,artifacts/,stashes/}`. Each JSON
 * file is written aside, synced and renamed.
 */
export class BuildStore {
  readonly #root: string;

  constructor(dataDirectory: string) {
    this.#root = join(dataDirectory, 'jobs');
    mkdirSync(this.#root, { recursive: true });
  }

  jobs(): readonly JobDefinition[] {
    return readdirSync(this.#root)
      .filter((name) => existsSync(join(this.#root, name, 'job.json')))
      .sort()
      .flatMap((name) => this.job(name) ?? []);
  }

  job(name: string): JobDefinition | undefined {
    return NAME.test(name) ? readJson<JobDefinition>(join(this.#root, name, 'job.json')) : undefined;
  }

  saveJob(job: JobDefinition): void {
    if (!NAME.test(job.name))
      throw new LabError(`"${job.name}" cannot be the name of a job`, {
        code: 'JOB_NAME',
        side: 'user',
        remedy: 'use letters, digits, spaces, dots, - and _',
      });
    writeJson(join(this.#root, job.name, 'job.json'), job);
  }

  deleteJob(name: string): void {
    if (this.job(name)) rmSync(join(this.#root, name), { recursive: true, force: true });
  }

  state(name: string): JobState {
    return readJson<JobState>(join(this.#root, name, 'state.json')) ?? { nextNumber: 1 };
  }

  saveState(name: string, change: Partial<JobState>): void {
    writeJson(join(this.#root, name, 'state.json'), { ...this.state(name), ...change });
  }

  takeNumber(name: string): number {
    const { nextNumber } = this.state(name);
    this.saveState(name, { nextNumber: nextNumber + 1 });
    return nextNumber;
  }

  /** Newest first. */
  buildNumbers(job: string): readonly number[] {
    const folder = join(this.#root, job, 'builds');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map(Number)
      .filter((number) => Number.isInteger(number))
      .sort((a, b) => b - a);
  }

  build(job: string, number: number): BuildRecord | undefined {
    return readJson<BuildRecord>(join(this.folder(job, number), 'build.json'));
  }

  saveBuild(record: BuildRecord): void {
    writeJson(join(this.folder(record.job, record.number), 'build.json'), record);
  }

  deleteBuild(job: string, number: number): void {
    rmSync(this.folder(job, number), { recursive: true, force: true });
  }

  folder(job: string, number: number): string {
    return join(this.#root, job, 'builds', String(number));
  }

  logFile(job: string, number: number): string {
    return join(this.folder(job, number), 'log');
  }

  logSize(job: string, number: number): number {
    return statSync(this.logFile(job, number), { throwIfNoEntry: false })?.size ?? 0;
  }

  saveArtifact(job: string, number: number, file: TransferredFile): number {
    const content = Buffer.from(file.base64, 'base64');
    const target = inside(join(this.folder(job, number), 'artifacts'), file.path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    return content.length;
  }

  deleteArtifacts(record: BuildRecord): void {
    rmSync(join(this.folder(record.job, record.number), 'artifacts'), { recursive: true, force: true });
    record.artifacts = [];
    this.saveBuild(record);
  }

  /** The file of an artifact, where there is one. */
  artifactFile(job: string, number: number, path: string): string | undefined {
    const target = inside(join(this.folder(job, number), 'artifacts'), path);
    return statSync(target, { throwIfNoEntry: false })?.isFile() ? target : undefined;
  }

  saveStash(job: string, number: number, name: string, files: readonly TransferredFile[]): void {
    writeJson(join(this.folder(job, number), 'stashes', `${encodeURIComponent(name)}.json`), files);
  }

  stash(job: string, number: number, name: string): readonly TransferredFile[] | undefined {
    return readJson(join(this.folder(job, number), 'stashes', `${encodeURIComponent(name)}.json`));
  }
}

function inside(folder: string, path: string): string {
  const target = resolve(folder, path);
  if (!relative(folder, target).startsWith('..')) return target;
  throw new LabError(`${path} is outside of the build's folder`, { code: 'PATH_OUTSIDE', side: 'user' });
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const aside = `${file}.new`;
  const handle = openSync(aside, 'w', 0o600);
  try {
    writeSync(handle, JSON.stringify(value));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(aside, file);
}
