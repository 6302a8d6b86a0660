import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** Keep-alive connections that ask as fast as they are answered, from a thread of its own; answers have a length. */
const { address, port, path, host, connections, ms } = workerData as {
  address: string;
  port: number;
  path: string;
  host: string;
  connections: number;
  ms: number;
};
const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\naccept: */*\r\n\r\n`);
const latencies: number[] = [];
let failures = 0;
let running = true;

function open(): Socket {
  const socket = connect({ host: address, port, noDelay: true });
  let sentAt = 0;
  let rest = '';
  const send = (): void => {
    sentAt = performance.now();
    socket.write(request);
  };
  socket.on('connect', send);
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end + 2))?.[1] ?? 0);
    if (rest.length < end + 4 + length) return;
    if (!rest.startsWith('HTTP/1.1 200')) failures++;
    rest = '';
    latencies.push(performance.now() - sentAt);
    if (running) send();
    else socket.destroy();
  });
  socket.on('error', () => {
    failures++;
  });
  return socket;
}

const sockets = Array.from({ length: connections }, open);
setTimeout(() => {
  running = false;
  for (const socket of sockets) socket.destroy();
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => latencies[Math.floor(latencies.length * part)] ?? 0;
  parentPort?.postMessage({
    requests: latencies.length,
    perSecond: latencies.length / (ms / 1000),
    p50: at(0.5),
    p99: at(0.99),
    failures,
  });
}, ms);
