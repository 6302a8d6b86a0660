import { expect, it } from 'vitest';
import { exitText, frameOf } from './exec-protocol.ts';

it('frames what is typed', () => {
  expect([...frameOf(0, 'ls\r')]).toEqual([0, 108, 115, 13]);
});

it('reads the status of the end', () => {
  expect(exitText('{"status":"Success"}')).toBe('The command ended well.');
  expect(
    exitText(
      '{"status":"Failure","message":"command terminated with non-zero exit code","details":{"causes":[{"reason":"ExitCode","message":"127"}]}}',
    ),
  ).toBe('The command ended with exit code 127.');
  expect(exitText('oops')).toBe('oops');
});
