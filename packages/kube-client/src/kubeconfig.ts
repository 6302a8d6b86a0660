import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LabError, systemCodeOf } from '@kind-e2e/base';
import type { KubeConnection } from './types.ts';

type NamedList<Key extends string, T> = readonly ({ readonly name?: string } & { readonly [K in Key]?: T })[] | null;

interface KubeconfigFile {
  readonly 'current-context'?: string;
  readonly clusters?: NamedList<
    'cluster',
    {
      readonly server?: string;
      readonly 'certificate-authority'?: string;
      readonly 'certificate-authority-data'?: string;
      readonly 'insecure-skip-tls-verify'?: boolean;
      readonly 'tls-server-name'?: string;
    }
  >;
  readonly contexts?: NamedList<
    'context',
    { readonly cluster?: string; readonly user?: string; readonly namespace?: string }
  >;
  readonly users?: NamedList<
    'user',
    {
      readonly token?: string;
      readonly tokenFile?: string;
      readonly 'client-certificate'?: string;
      readonly 'client-certificate-data'?: string;
      readonly 'client-key'?: string;
      readonly 'client-key-data'?: string;
      readonly username?: string;
      readonly exec?: unknown;
      readonly 'auth-provider'?: unknown;
    }
  >;
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The path that kubectl would use: the first of `KUBECONFIG`, else `~/.kube/config`. */
export function defaultKubeconfigPath(env: Readonly<Record<string, string | undefined>>): string {
  const first = env.KUBECONFIG?.split(':').find((path) => path !== '');
  return first ?? join(env.HOME ?? homedir(), '.kube', 'config');
}

/**
 * Reads a kubeconfig (client-go's clientcmd) and gives the connection of its current context, or of the one named.
 * Users of exec plugins, auth providers or passwords are refused.
 */
export async function loadKubeconfig(
  path: string,
  options: { readonly context?: string } = {},
): Promise<KubeConnection> {
  const { parse } = await import('yaml');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    throw failure(`there is no kubeconfig at ${path}`, error);
  });
  const config = (parse(text) ?? {}) as KubeconfigFile;
  const contextName = options.context ?? config['current-context'] ?? '';
  const context = config.contexts?.find((entry) => entry.name === contextName)?.context;
  if (!context) throw failure(`context "${contextName}" does not exist in ${path}`);
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (!cluster?.server)
    throw failure(`cluster "${context.cluster}" of context "${contextName}" does not exist in ${path}`);
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  if (user.exec !== undefined || user['auth-provider'] !== undefined || user.username !== undefined)
    throw failure(
      `user "${context.user}" in ${path} logs in with ${user.exec !== undefined ? 'an exec plugin' : user.username !== undefined ? 'a password' : 'an auth provider'}, which is not supported`,
    );
  const folder = dirname(resolve(path));
  const pem = async (data: string | undefined, file: string | undefined): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined ? undefined : await readFile(resolve(folder, file), 'utf8');
  };
  const [caPem, clientCertPem, clientKeyPem] = await Promise.all([
    pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    pem(user['client-certificate-data'], user['client-certificate']),
    pem(user['client-key-data'], user['client-key']),
  ]);
  return {
    server: cluster.server,
    ...(caPem === undefined ? {} : { caPem }),
    ...(clientCertPem === undefined ? {} : { clientCertPem }),
    ...(clientKeyPem === undefined ? {} : { clientKeyPem }),
    ...(user.token === undefined ? {} : { token: user.token }),
    ...(user.tokenFile === undefined || user.token !== undefined ? {} : { tokenFile: resolve(folder, user.tokenFile) }),
    ...(cluster['tls-server-name'] === undefined ? {} : { tlsServerName: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] ? { insecureSkipTlsVerify: true } : {}),
    namespace: context.namespace ?? 'default',
  };
}

/**
 * The connection of a pod: `KUBERNETES_SERVICE_HOST`, `KUBERNETES_SERVICE_PORT` and the files of its service account
 * (client-go's rest.InClusterConfig). The token file is read again each minute.
 */
export async function inClusterConnection(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly directory?: string } = {},
): Promise<KubeConnection> {
  const directory = options.directory ?? SERVICE_ACCOUNT_DIR;
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (!host || !port)
    throw failure('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is not a pod of a cluster');
  const [caPem, namespace] = await Promise.all([
    readFile(join(directory, 'ca.crt'), 'utf8'),
    readFile(join(directory, 'namespace'), 'utf8').catch(() => 'default'),
  ]);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    caPem,
    tokenFile: join(directory, 'token'),
    namespace: namespace.trim(),
  };
}

function failure(message: string, cause?: unknown): LabError {
  return new LabError(message, { code: 'KUBECONFIG_UNUSABLE', side: 'user', cause });
}
