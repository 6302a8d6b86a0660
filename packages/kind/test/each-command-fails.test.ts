import { LabError } from '@kind-e2e/base';
import { expect, test } from 'vitest';
import { commandsOf, forget, only } from './every-command.ts';
import { StandIns } from './lab-on-stand-ins.ts';

test('each command fails once: the error names it, nothing after it is done, the next run goes on there', async () => {
  using world = await StandIns.make();
  for (const line of commandsOf(world)) {
    forget(world, line);
    world.setFault({ fail: only(line), says: 'no space left on device' });
    const error = await world.up().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error, line).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ code: 'KIND_COMMAND_FAILED', side: 'user' });
    expect((error as LabError).message).toContain('no space left on device');
    expect((error as LabError).message.replaceAll("'", '')).toContain(`$ ${line.split(' ').slice(0, 3).join(' ')}`);
    expect((error as LabError).remedy).toContain('commands.log');
    // What stands on it was not begun.
    const release = /--install (\S+) /.exec(line)?.[1];
    if (release !== undefined) expect(world.things('releases').some((key) => key.endsWith(`/${release}`))).toBe(false);
  }
  world.setFault({});
  world.takeCommands();
  await world.up();
  const commands = world.takeCommands();
  expect(commands.some((line) => line.startsWith('kind create'))).toBe(false);
  expect(world.things('releases')).toHaveLength(13);
  await world.up();
  expect(world.takeCommands().some((line) => line.startsWith('helm upgrade'))).toBe(false);
}, 600_000);
