import { isRepositoryUrl } from '@kind-e2e/kind';
import { execa } from 'execa';

/** The remote `origin` of the checkout, where Jenkins can be given its URL; a folder or a URL with a password it cannot. */
export async function originOf(root: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { exitCode, stdout } = await execa('git', ['-C', root, 'remote', 'get-url', 'origin'], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  const url = stdout.trim();
  return exitCode === 0 && isRepositoryUrl(url) ? url : undefined;
}
