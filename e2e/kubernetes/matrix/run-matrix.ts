import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { MatrixCase } from './kubectl-cases.ts';

export interface MatrixOptions {
  readonly kubectl: string;
  readonly helm: string;
  /** Begins the namespace of the cases. */
  readonly suite: string;
  /** The client's minor version. */
  readonly minor: number;
  readonly kubeconfig: string;
  /** An image of the lab's registry with a shell. */
  readonly image: string;
  /** A worker of its own. */
  readonly node: string;
  /** An empty folder, which stays. */
  readonly directory: string;
}

export interface MatrixSession {
  readonly options: MatrixOptions;
  readonly env: Record<string, string>;
}

/** A namespace, a kubeconfig, a home and manifests of its own for one version of the clients. */
export async function openMatrix(options: MatrixOptions): Promise<MatrixSession> {
  const namespace = `${options.suite}-${options.minor}`;
  const group = `widgets-${options.minor}.example.org`;
  const folder = (name: string): string => join(options.directory, name);
  for (const name of ['home', 'bin', 'files']) await mkdir(folder(name), { recursive: true });
  await cp(join(import.meta.dirname, 'manifests'), folder('manifests'), { recursive: true });
  for (const entry of await readdir(folder('manifests'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await writeFile(
      path,
      (await readFile(path, 'utf8'))
        .replaceAll('GROUP', group)
        .replaceAll('IMAGE', options.image)
        .replaceAll('NAMESPACE', namespace)
        .replaceAll('NODE', options.node),
    );
  }
  const config = (await readFile(options.kubeconfig, 'utf8')).replace(
    /^( +)user: kubernetes-admin$/m,
    `$1user: kubernetes-admin\n$1namespace: ${namespace}`,
  );
  await writeFile(folder('kubeconfig'), config, { mode: 0o600 });
  const env = {
    PATH: [dirname(options.kubectl), dirname(options.helm), process.env.PATH].join(':'),
    KUBECONFIG: folder('kubeconfig'),
    HOME: folder('home'),
    M: folder('manifests'),
    DIR: folder('files'),
    NS: namespace,
    GROUP: group,
    IMAGE: options.image,
    REGISTRY: options.image.slice(0, options.image.indexOf('/')),
    // Registries without TLS: Helm 3.8 knows localhost by itself, later ones want to be told.
    PLAIN: options.minor >= 28 ? '--plain-http' : '',
    PAUSE: 'pause:1',
    PAUSE2: 'pause:2',
    NODE: options.node,
  };
  await execa(options.kubectl, ['create', 'namespace', namespace], { env, stdin: 'ignore' });
  return { options, env };
}

/** What is wrong with one case, or undefined. */
export async function runCase(session: MatrixSession, test: MatrixCase): Promise<string | undefined> {
  const result = await execa('bash', ['-c', test.run], {
    env: session.env,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: 60_000,
  });
  const wrong: string[] = [];
  if (result.exitCode !== (test.exit ?? 0)) wrong.push(`exit code ${result.exitCode}, not ${test.exit ?? 0}`);
  if (test.prints && !test.prints.test(result.all)) wrong.push(`does not print ${test.prints}`);
  if (wrong.length === 0) return undefined;
  return `${test.run}\n${wrong.join('\n')}\n${result.all.slice(0, 3_000)}`;
}

/** Whether the version under test has the case. */
export function hasCase(session: MatrixSession, test: MatrixCase): boolean {
  return (
    session.options.minor >= (test.since ?? 0) && session.options.minor <= (test.until ?? Number.POSITIVE_INFINITY)
  );
}
