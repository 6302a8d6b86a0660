import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { readBody } from './body.ts';

test('a body whose sender went away before anybody read it is a refusal, not a wait without end', async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<IncomingMessage>();
  const server = createServer((request) => resolve(request));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  const request = await arrived;
  // As where the request waits for its turn meanwhile.
  const closed = once(request, 'close').catch(() => undefined);
  client.destroy();
  await closed;
  await expect(readBody(request)).rejects.toThrow('the client ended the request before its body was complete');
  server.close();
});
