import { expect, test, vi } from 'vitest';
import { commandsOf, forget, only } from './every-command.ts';
import { StandIns } from './lab-on-stand-ins.ts';

/** What the next run does about the half of a command that an interruption left, beside running it again. */
function repairOf(line: string): string | undefined {
  if (line.startsWith('kind create')) return 'kind delete cluster --name kind-e2e --kubeconfig DATA/kubeconfig';
  const [, release, namespace] = /--install (\S+) .*--namespace (\S+)/.exec(line) ?? [];
  return release && `helm uninstall ${release} --namespace ${namespace}`;
}

test('interrupted in the midst of each command: the next run repairs what was half done and goes on', async () => {
  using world = await StandIns.make();
  const wanted = new Set<string>();
  const done: string[] = [];
  // `helm repo` writes Helm's own files, whole or not at all; `docker start` has no middle.
  const commands = commandsOf(world).filter((line) => !/^(helm repo|docker start)/.test(line));
  for (const line of commands) {
    forget(world, line);
    world.setFault({ hang: only(line) });
    const interrupt = new AbortController();
    const run = world.up({}, interrupt.signal).then(
      () => 'ready',
      (error: Error) => error.message,
    );
    const hangs = vi.waitFor(() => expect(world.hangs, line).toBe(true), { timeout: 90_000, interval: 25 });
    expect(await Promise.race([hangs.then(() => 'hangs'), run]), line).toBe('hangs');
    interrupt.abort(new Error('interrupted'));
    expect(await run, line).toBe('interrupted');
    done.push(...world.takeCommands());
    // One of the next runs does that: what stands side by side has no order.
    const repair = repairOf(line);
    if (repair !== undefined) wanted.add(repair);
  }
  world.setFault({});
  await world.up();
  done.push(...world.takeCommands());
  for (const repair of wanted)
    expect(
      done.some((line) => line.startsWith(repair)),
      repair,
    ).toBe(true);
  expect(wanted.size).toBe(14);
  expect(world.things('releases')).toHaveLength(13);
}, 600_000);
