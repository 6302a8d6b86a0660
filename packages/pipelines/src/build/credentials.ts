import { LabError } from '@kind-e2e/base';
import { isStatusError } from '@kind-e2e/kube-api';
import { type ApiObject, type KubeClient, RESOURCES } from '@kind-e2e/kube-client';

export type Credential =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'usernamePassword'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'sshUserPrivateKey';
      readonly username: string;
      readonly privateKey: string;
      /** Empty where the key has none. */
      readonly passphrase: string;
    }
  | { readonly kind: 'file'; readonly fileName: string; readonly content: Buffer };

/** A private key as the file that ssh wants, its last line ended. */
export function keyFile(
  credential: Credential & { kind: 'sshUserPrivateKey' },
  id: string,
): Credential & { kind: 'file' } {
  const content = Buffer.from(credential.privateKey.replace(/\n*$/, '\n'));
  return { kind: 'file', fileName: `ssh-key-${id}`, content };
}

export interface CredentialSource {
  /** Throws a LabError where there is none. */
  read(id: string): Promise<Credential>;
}

interface Secret extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Credentials are Secrets of a namespace; the credential's id is the Secret's name. Their keys are those of the plugin
 * kubernetes-credentials-provider: `text`; `username` and `password`; `username`, `privateKey` and `passphrase`; `filename` and `data`. The label
 * `jenkins.io/credentials-type` must be there, so that not every Secret is a credential.
 */
export function secretCredentials(client: KubeClient, namespace: string): CredentialSource {
  return {
    read: async (id) => {
      const missing = (): LabError =>
        new LabError(`Could not find credentials entry with ID '${id}'`, {
          code: 'NO_CREDENTIAL',
          side: 'user',
          remedy: `make a Secret ${id} in the namespace ${namespace} with the label jenkins.io/credentials-type`,
        });
      if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(id)) throw missing();
      const secret = await client.get<Secret>(RESOURCES.secrets, id, namespace).catch((error: unknown) => {
        throw isStatusError(error) && error.status.code === 404 ? missing() : error;
      });
      const type = secret.metadata?.labels?.['jenkins.io/credentials-type'];
      const value = (key: string): Buffer => Buffer.from(secret.data?.[key] ?? '', 'base64');
      switch (type) {
        case 'secretText':
          return { kind: 'string', text: value('text').toString() };
        case 'usernamePassword':
          return {
            kind: 'usernamePassword',
            username: value('username').toString(),
            password: value('password').toString(),
          };
        case 'basicSSHUserPrivateKey':
          return {
            kind: 'sshUserPrivateKey',
            username: value('username').toString(),
            privateKey: value('privateKey').toString(),
            passphrase: value('passphrase').toString(),
          };
        case 'secretFile':
          return { kind: 'file', fileName: value('filename').toString() || id, content: value('data') };
        default:
          throw missing();
      }
    },
  };
}
