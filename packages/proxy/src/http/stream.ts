import type { HeaderList } from './headers.ts';

/** A request as the routing sees it, whatever protocol carried it. */
export interface RequestHead {
  method: string;
  /** Path with query. */
  path: string;
  /** Host as sent, with its port. */
  authority: string;
  scheme: 'http' | 'https';
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  /** Without pseudo, hop-by-hop and framing fields. */
  readonly headers: HeaderList;
  readonly hasBody: boolean;
  readonly contentLength: number | undefined;
  /** `websocket` when the client asks to leave HTTP. */
  upgrade: string | undefined;
}

export interface ResponseHead {
  status: number;
  readonly headers: HeaderList;
  readonly hasBody: boolean;
  readonly contentLength: number | undefined;
  /** The server left HTTP: what follows are bytes both ways. */
  readonly upgraded: boolean;
}

export type Trailers = HeaderList;

/** Gets what follows a request's head. */
export interface RequestReceiver {
  onRequestData(data: Buffer): void;
  onRequestEnd(trailers?: Trailers): void;
  /** The client went away or broke the protocol; nothing can be answered any more. */
  onDownstreamReset(reason: string): void;
  /** The client reads again. */
  onDownstreamDrain(): void;
}

/** The answering side of one request. */
export interface DownstreamStream {
  readonly connection: DownstreamConnection;
  setReceiver(receiver: RequestReceiver): void;
  /** `length` undefined with a body: chunked or its like. */
  sendHead(status: number, headers: HeaderList, hasBody: boolean, length: number | undefined): void;
  sendInformational(status: number, headers: HeaderList): void;
  /** False: wait for onDownstreamDrain. */
  sendData(data: Buffer): boolean;
  sendEnd(trailers?: Trailers): void;
  /** After an answer of 101: bytes pass untouched from here on. */
  startTunnel(): void;
  /** Breaks the answer off so that the client notices. */
  reset(reason: string): void;
  pauseRequest(): void;
  resumeRequest(): void;
}

/** What is known of who asks. */
export interface DownstreamConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: DownstreamTls | undefined;
  /** True once the connection is to be closed after the present answer. */
  readonly closing: boolean;
}

export interface DownstreamTls {
  /** SPIFFE id of the peer's certificate, where it has one. */
  readonly peerSpiffeId: string | undefined;
  readonly peerSubject: string | undefined;
  readonly peerFingerprint: string | undefined;
  readonly localSpiffeId: string | undefined;
  readonly serverName: string | undefined;
  readonly alpn: string | undefined;
  readonly mutual: boolean;
}

/** Gets the answer of an upstream. */
export interface ResponseReceiver {
  onResponseInformational(status: number, headers: HeaderList): void;
  onResponseHead(head: ResponseHead): void;
  onResponseData(data: Buffer): void;
  onResponseEnd(trailers?: Trailers): void;
  onUpstreamReset(reset: UpstreamReset): void;
  onUpstreamDrain(): void;
}

/** Envoy's stream reset reasons, as far as they occur here. */
export type ResetReason =
  | 'remote connection failure'
  | 'connection termination'
  | 'overflow'
  | 'protocol error'
  | 'remote reset'
  | 'remote refused stream reset'
  | 'connection timeout'
  | 'local reset';

export interface UpstreamReset {
  readonly reason: ResetReason;
  /** Of the transport: `delayed connect error: Connection refused`, `TLS error: …`. */
  readonly transportFailure?: string;
  /** The request cannot have reached the application. */
  readonly unsent: boolean;
}

/** The asking side of one try at an upstream. */
export interface UpstreamStream {
  readonly localAddress: string;
  readonly remotePrincipal: string | undefined;
  sendHead(head: RequestHead, hasBody: boolean, length: number | undefined): void;
  sendData(data: Buffer): boolean;
  sendEnd(trailers?: Trailers): void;
  /** Gives the try up; no further call of the receiver. */
  cancel(): void;
  pauseResponse(): void;
  resumeResponse(): void;
}
