import { Agent, createServer, request } from 'node:http';

// The plainest proxy that node:http makes: what `http-proxy` does, less its own cost.
const [, , address, port, backend, backendPort] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: 1024 });
createServer((incoming, response) => {
  const outgoing = request(
    {
      host: backend,
      port: Number(backendPort),
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      agent,
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on('error', () => response.writeHead(502).end());
  incoming.pipe(outgoing);
}).listen(Number(port), address, () => process.stdout.write('ready\n'));
