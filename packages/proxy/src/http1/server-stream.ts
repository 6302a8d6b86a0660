import type { HeaderList } from '../http/headers.ts';
import type { DownstreamStream, RequestReceiver } from '../http/stream.ts';
import type { Http1ServerConnection } from './server-connection.ts';
import { chunkPrefix, formatFields, reasonOf } from './write.ts';

/** The answering side of one request of an HTTP/1 connection. */
export class Http1ServerStream implements DownstreamStream {
  readonly connection: Http1ServerConnection;
  receiver: RequestReceiver | undefined;
  tunnel = false;
  ended = false;
  headSent = false;
  readonly isUpgrade: boolean;
  readonly #method: string;
  readonly #minorVersion: 0 | 1;
  #chunked = false;

  constructor(connection: Http1ServerConnection, method: string, minorVersion: 0 | 1, isUpgrade: boolean) {
    this.connection = connection;
    this.#method = method;
    this.#minorVersion = minorVersion;
    this.isUpgrade = isUpgrade;
  }

  setReceiver(receiver: RequestReceiver): void {
    this.receiver = receiver;
  }

  sendInformational(status: number, headers: HeaderList): void {
    if (this.#minorVersion === 0 || this.ended) return;
    this.connection.writer.push(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${formatFields(headers)}\r\n`);
    this.connection.writer.flush();
  }

  sendHead(status: number, headers: HeaderList, hasBody: boolean, length: number | undefined): void {
    if (this.ended) return;
    const { connection } = this;
    let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${formatFields(headers)}`;
    if (status === 101) text += 'connection: upgrade\r\nupgrade: websocket\r\n';
    else {
      if (length !== undefined && status !== 204) text += `content-length: ${length}\r\n`;
      else if (hasBody && this.#minorVersion === 1) {
        this.#chunked = true;
        text += 'transfer-encoding: chunked\r\n';
      } else if (hasBody) connection.closing = true;
      else if (status !== 204 && status !== 304 && this.#method !== 'HEAD') text += 'content-length: 0\r\n';
      if (connection.closing) text += 'connection: close\r\n';
      else if (this.#minorVersion === 0) text += 'connection: keep-alive\r\n';
    }
    this.headSent = true;
    connection.writer.push(`${text}\r\n`);
  }

  sendData(data: Buffer): boolean {
    if (this.ended || data.length === 0) return true;
    const { writer } = this.connection;
    this.connection.touch();
    if (this.#chunked) {
      writer.push(chunkPrefix(data.length));
      writer.push(data);
      writer.push('\r\n');
    } else writer.push(data);
    return !writer.full;
  }

  sendEnd(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.#chunked) this.connection.writer.push('0\r\n\r\n');
    if (this.tunnel) {
      this.connection.writer.flush();
      this.connection.socket.end();
      return;
    }
    this.connection.writer.flush();
    this.connection.settleAfterAnswer();
  }

  startTunnel(): void {
    this.tunnel = true;
    this.connection.writer.flush();
    this.connection.takeWaiting();
  }

  reset(): void {
    this.ended = true;
    this.connection.destroy();
  }

  pauseRequest(): void {
    this.connection.pauseRequest(true);
  }

  resumeRequest(): void {
    this.connection.pauseRequest(false);
  }
}
