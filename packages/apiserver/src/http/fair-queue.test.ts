import { StatusError } from '@kind-e2e/kube-api';
import { expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

/** Requests of a user that hold their seat until they are told to end; `order` has whose turn it was. */
function visitors(queue: FairQueue, order: string[]) {
  return (user: string, count: number) =>
    Array.from({ length: count }, () =>
      queue.enter(user).then((seat) => {
        order.push(user);
        return seat;
      }),
    );
}

/** Lets everything that can happen now happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a user who floods has no more than his share at once, and others do not wait for the rest', async () => {
  const queue = new FairQueue();
  const order: string[] = [];
  const enter = visitors(queue, order);
  enter('flood', 500);
  await settle();
  const running = order.length;
  expect(running).toBeLessThan(50);
  expect(queue.waiting).toBe(500 - running);
  enter('controller', 1);
  await settle();
  expect(order.at(-1)).toBe('controller');
});

test('when all seats are taken the lines are served in turn', async () => {
  const queue = new FairQueue();
  const order: string[] = [];
  const enter = visitors(queue, order);
  const seats = ['a', 'b', 'c'].flatMap((user) => enter(user, 200));
  await settle();
  const running = order.length;
  enter('controller', 2);
  await settle();
  expect(order).toHaveLength(running);
  for (const seat of seats.slice(0, 4)) (await seat)[Symbol.dispose]();
  await settle();
  expect(order.slice(running)).toContain('controller');
});

test('a seat is given back once, and who waits too long a line is told to come back', async () => {
  const queue = new FairQueue();
  const seat = await queue.enter('a');
  seat[Symbol.dispose]();
  seat[Symbol.dispose]();
  expect(queue.running).toBe(0);
  const open = Array.from({ length: 5_000 }, () => queue.enter('flood').catch((error: unknown) => error));
  await settle();
  expect(queue.rejected).toBeGreaterThan(0);
  const refusal = await open.at(-1);
  expect(refusal).toBeInstanceOf(StatusError);
  expect((refusal as StatusError).status.code).toBe(429);
});
