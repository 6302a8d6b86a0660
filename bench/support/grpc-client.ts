import { connect } from 'node:http2';

export interface GrpcClient {
  /** One unary call; throws unless its status is 0. */
  call(message: Buffer): Promise<void>;
  close(): void;
}

/** The least of gRPC that a unary call needs, so that the client costs little beside the server. */
export function createGrpcClient(port: number, path: string): GrpcClient {
  const session = connect(`http://127.0.0.1:${port}`);
  return {
    call: (message) =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': path,
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        let status = '';
        stream.on('response', (headers) => {
          status = String(headers['grpc-status'] ?? '');
        });
        stream.on('trailers', (headers) => {
          status = String(headers['grpc-status'] ?? '');
        });
        stream.on('error', reject);
        stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`the call ended with ${status}`))));
        stream.resume();
        const head = Buffer.alloc(5);
        head.writeUInt32BE(message.length, 1);
        stream.write(head);
        stream.end(message);
      }),
    close: () => session.close(),
  };
}
