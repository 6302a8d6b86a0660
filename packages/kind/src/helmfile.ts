import { LabError } from '@kind-e2e/base';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** A chart repository. */
export interface Repository {
  readonly name: string;
  readonly url: string;
}

/** `--set` of a value, or `--set-file` of a file's text. */
export type SetValue =
  | { readonly name: string; readonly value: string | number | boolean }
  | { readonly name: string; readonly file: string };

export interface Release {
  readonly name: string;
  readonly namespace: string;
  /** `repository/chart`, or a folder that begins with `./`. */
  readonly chart: string;
  /** Missing for a chart of this repository. */
  readonly version: string | undefined;
  /** Files with values, relative to the helmfile. */
  readonly values: readonly string[];
  readonly set: readonly SetValue[];
  /** Releases before, as `namespace/name`. */
  readonly needs: readonly string[];
  readonly timeoutSeconds: number;
}

export interface Helmfile {
  readonly repositories: readonly Repository[];
  /** In an order in which each comes after those it needs. */
  readonly releases: readonly Release[];
}

const TOP = ['repositories', 'helmDefaults', 'releases'];
const DEFAULTS = ['wait', 'timeout', 'createNamespace'];
const RELEASE = ['name', 'namespace', 'chart', 'version', 'values', 'set', 'needs', 'timeout'];
const DEFAULT_TIMEOUT_SECONDS = 300;

export function releaseKey(release: Pick<Release, 'name' | 'namespace'>): string {
  return `${release.namespace}/${release.name}`;
}

/**
 * Reads the subset of helmfile's format that this lab uses (https://helmfile.readthedocs.io: repositories, helmDefaults,
 * releases). Everything else is refused with its line: what were left out would make helmfile and this lab differ.
 */
export function parseHelmfile(text: string, file = 'helmfile.yaml'): Helmfile {
  const reader = new Reader(text, file);
  const root = reader.map(reader.root, 'the file', TOP);
  const defaults = reader.map(root.helmDefaults, 'helmDefaults', DEFAULTS);
  const timeout = reader.number(defaults.timeout, 'helmDefaults.timeout') ?? DEFAULT_TIMEOUT_SECONDS;
  if (reader.boolean(defaults.wait, 'helmDefaults.wait') === false)
    reader.refuse(defaults.wait, 'helmDefaults.wait: false', 'leave it true: releases build on each other');
  reader.boolean(defaults.createNamespace, 'helmDefaults.createNamespace');
  const repositories = reader.list(root.repositories, 'repositories').map((node, index) => {
    const at = `repositories[${index}]`;
    const fields = reader.map(node, at, ['name', 'url']);
    return {
      name: reader.string(fields.name, `${at}.name`, node),
      url: reader.string(fields.url, `${at}.url`, node),
    };
  });
  const releases = reader.list(root.releases, 'releases').map((node, index) => {
    const at = `releases[${index}]`;
    const fields = reader.map(node, at, RELEASE);
    const chart = reader.string(fields.chart, `${at}.chart`, node);
    const version = fields.version && reader.string(fields.version, `${at}.version`, node);
    checkChart(reader, chart, version, repositories, fields.chart ?? node);
    return {
      name: reader.string(fields.name, `${at}.name`, node),
      namespace: reader.string(fields.namespace, `${at}.namespace`, node),
      chart,
      version,
      values: reader.list(fields.values, `${at}.values`).map((entry) => reader.string(entry, `${at}.values`, entry)),
      set: reader.list(fields.set, `${at}.set`).map((entry) => readSet(reader, entry, `${at}.set`)),
      needs: reader.list(fields.needs, `${at}.needs`).map((entry) => reader.string(entry, `${at}.needs`, entry)),
      timeoutSeconds: reader.number(fields.timeout, `${at}.timeout`) ?? timeout,
      node,
    };
  });
  return { repositories, releases: inOrder(reader, releases).map(({ node: _, ...release }) => release) };
}

function checkChart(
  reader: Reader,
  chart: string,
  version: string | undefined,
  repositories: readonly Repository[],
  node: Node | undefined,
): void {
  if (chart.startsWith('./')) return;
  const repository = chart.split('/')[0];
  if (!chart.includes('/') || !repositories.some(({ name }) => name === repository))
    reader.refuse(node, `the chart ${chart} is of no repository above`, 'write repository/chart or ./folder');
  if (version === undefined)
    reader.refuse(node, `the chart ${chart} has no version`, 'pin it: two runs must install the same');
}

function readSet(reader: Reader, node: Node, at: string): SetValue {
  const fields = reader.map(node, at, ['name', 'value', 'file']);
  const name = reader.string(fields.name, `${at}.name`, node);
  if (fields.file) return { name, file: reader.string(fields.file, `${at}.file`, node) };
  const value = isScalar(fields.value) ? fields.value.value : undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { name, value };
  return reader.refuse(node, `${at} has neither a plain value nor a file`, 'give value: or file:');
}

type Unordered = Release & { readonly node: Node };

/** Kahn's order that keeps the file's where it may. Names of needs are checked on the way. */
function inOrder(reader: Reader, releases: readonly Unordered[]): readonly Unordered[] {
  const byKey = new Map<string, Unordered>();
  for (const release of releases) {
    if (byKey.has(releaseKey(release)))
      reader.refuse(release.node, `${releaseKey(release)} is there twice`, 'give one of them another name');
    byKey.set(releaseKey(release), release);
  }
  for (const release of releases)
    for (const need of release.needs)
      if (!byKey.has(need))
        reader.refuse(
          release.node,
          `${releaseKey(release)} needs ${need}, which is no release`,
          'write namespace/name',
        );
  const ordered: Unordered[] = [];
  const done = new Set<string>();
  while (ordered.length < releases.length) {
    const next = releases.find((release) => !done.has(releaseKey(release)) && release.needs.every((n) => done.has(n)));
    if (next === undefined) {
      const stuck = releases.filter((release) => !done.has(releaseKey(release)));
      const names = stuck.map(releaseKey).join(', ');
      return reader.refuse(stuck[0]?.node, `these need each other: ${names}`, 'break the circle');
    }
    ordered.push(next);
    done.add(releaseKey(next));
  }
  return ordered;
}

/** Reads YAML nodes and says where they stand when they are wrong. */
class Reader {
  readonly root: Node | undefined;
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(text: string, file: string) {
    this.#file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [problem] = document.errors;
    if (problem) {
      const { line } = this.#lines.linePos(problem.pos[0]);
      throw helmfileError(`${file}:${line}: ${problem.message}`, 'mend the YAML');
    }
    this.root = document.contents ?? undefined;
  }

  refuse(node: Node | undefined, what: string, remedy: string): never {
    const { line } = this.#lines.linePos(node?.range?.[0] ?? 0);
    throw helmfileError(`${this.#file}:${line}: ${what}`, remedy);
  }

  map(node: Node | undefined, at: string, known: readonly string[]): Readonly<Record<string, Node | undefined>> {
    if (node === undefined) return {};
    if (!isMap(node)) return this.refuse(node, `${at} is not a map`, 'write key: value');
    const fields: Record<string, Node | undefined> = {};
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!known.includes(name))
        this.refuse(key as Node, `${name} in ${at} is not supported here`, `known are ${known.join(', ')}`);
      fields[name] = (value as Node | null) ?? undefined;
    }
    return fields;
  }

  list(node: Node | undefined, at: string): readonly Node[] {
    if (node === undefined) return [];
    if (!isSeq(node)) return this.refuse(node, `${at} is not a list`, 'begin each entry with -');
    return node.items as Node[];
  }

  string(node: Node | undefined, at: string, parent: Node | undefined): string {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value !== 'string' || value === '')
      return this.refuse(node ?? parent, `${at} is not a text`, 'write one, in quotes where it is a number');
    if (value.includes('{{'))
      return this.refuse(node, `${at} is a template, ${value}`, 'write it out: templates are not supported here');
    return value;
  }

  number(node: Node | undefined, at: string): number | undefined {
    if (node === undefined) return undefined;
    const value = isScalar(node) ? node.value : undefined;
    return typeof value === 'number' ? value : this.refuse(node, `${at} is not a number`, 'write the seconds');
  }

  boolean(node: Node | undefined, at: string): boolean | undefined {
    if (node === undefined) return undefined;
    const value = isScalar(node) ? node.value : undefined;
    return typeof value === 'boolean' ? value : this.refuse(node, `${at} is not true or false`, 'write true or false');
  }
}

function helmfileError(message: string, remedy: string): LabError {
  return new LabError(message, { code: 'HELMFILE', side: 'user', remedy });
}
