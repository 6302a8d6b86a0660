import { connect, type Socket } from 'node:net';

/** How long nothing more may come after the answers that were expected, for one too many to be seen. */
const QUIET_MS = 100;
const GIVE_UP_MS = 10_000;

/**
 * Sends bytes as they are and gives back what came: until the server closed, or until it has given `answers` answers and
 * is quiet.
 */
export function exchangeRaw(
  address: string,
  port: number,
  bytes: string | readonly string[],
  answers = 1,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    let answer = '';
    let isSent = false;
    let quiet: NodeJS.Timeout | undefined;
    const giveUp = setTimeout(() => finish(), GIVE_UP_MS);
    const finish = (): void => {
      clearTimeout(quiet);
      clearTimeout(giveUp);
      socket.destroy();
      resolve(answer);
    };
    const look = (): void => {
      clearTimeout(quiet);
      if (isSent && statuses(answer).length >= answers) quiet = setTimeout(finish, QUIET_MS);
    };
    socket.on('connect', async () => {
      for (const piece of typeof bytes === 'string' ? [bytes] : bytes) {
        socket.write(piece, 'latin1');
        await new Promise((next) => setTimeout(next, 1));
      }
      isSent = true;
      look();
    });
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      look();
    });
    socket.on('error', finish);
    socket.on('close', finish);
  });
}

export function statuses(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}

export function openSocket(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => resolve(socket));
    socket.on('error', reject);
  });
}
