import { connect, type Socket } from 'node:net';

/** Sends bytes as they are and gives back what came until the server closed, or until it has been quiet. */
export function exchangeRaw(
  address: string,
  port: number,
  bytes: string | readonly string[],
  quietMs = 150,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    let answer = '';
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const touch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(finish, quietMs);
    };
    socket.on('connect', async () => {
      touch();
      for (const piece of typeof bytes === 'string' ? [bytes] : bytes) {
        touch();
        socket.write(piece, 'latin1');
        await new Promise((next) => setTimeout(next, 1));
      }
    });
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      touch();
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
