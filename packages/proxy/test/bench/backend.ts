import { createServer } from 'node:http';

const [, , address, port] = process.argv;
createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '11' });
  response.end('hello world');
}).listen(Number(port), address, () => process.stdout.write('ready\n'));
