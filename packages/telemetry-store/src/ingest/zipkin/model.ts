/** Zipkin v2's JSON model (zipkin-api/zipkin2-api.yaml), as far as it is read. */
export interface ZipkinEndpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name?: string;
  readonly kind?: string;
  /** Microseconds. */
  readonly timestamp?: number;
  readonly duration?: number;
  readonly localEndpoint?: ZipkinEndpoint | null;
  readonly remoteEndpoint?: ZipkinEndpoint | null;
  readonly annotations?: readonly { readonly timestamp?: number; readonly value?: string }[];
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly shared?: boolean;
}
