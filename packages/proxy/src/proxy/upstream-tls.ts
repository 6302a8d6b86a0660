import { createSecureContext, type SecureContext } from 'node:tls';
import type { UpstreamTls } from '../cluster/connect.ts';
import { MESH_ALPN_HTTP1, MESH_ALPN_HTTP2, MESH_ALPN_TCP } from '../listener/tls-server.ts';
import type { ClusterTls, Endpoint } from '../snapshot/clusters.ts';
import type { Identity } from '../snapshot/snapshot.ts';

/** Contexts by identity object, so that one is made for each certificate and goes when that is renewed. */
const contexts = new WeakMap<Identity, SecureContext>();
const publicContexts = new Map<string, SecureContext>();

function contextOf(identity: Identity): SecureContext {
  let context = contexts.get(identity);
  if (context === undefined) {
    context = createSecureContext({
      ...(identity.certificateChainPem ? { cert: identity.certificateChainPem, key: identity.privateKeyPem } : {}),
      ...(identity.trustBundlePem ? { ca: identity.trustBundlePem } : {}),
    });
    contexts.set(identity, context);
  }
  return context;
}

const MESH_ALPN_OF = { http1: MESH_ALPN_HTTP1, http2: MESH_ALPN_HTTP2, tcp: MESH_ALPN_TCP } as const;

/** TLS towards an endpoint of a cluster, or undefined for plain text. */
export function upstreamTls(
  tls: ClusterTls,
  endpoint: Endpoint,
  protocol: 'http1' | 'http2' | 'tcp',
  own: Identity | undefined,
  identityOf: (key: string | undefined) => Identity | undefined,
): UpstreamTls | undefined {
  switch (tls.mode) {
    case 'disable':
      return undefined;
    case 'auto':
    case 'istio-mutual': {
      if (own === undefined || (tls.mode === 'auto' && endpoint.mtls !== true)) return undefined;
      return {
        context: contextOf(own),
        serverName: tls.sni,
        alpn: [MESH_ALPN_OF[protocol]],
        meshPeer: true,
        ...(tls.spiffeIds ? { spiffeIds: tls.spiffeIds } : {}),
      };
    }
    case 'simple':
    case 'mutual': {
      const identity = identityOf(tls.identity);
      let context = identity && contextOf(identity);
      if (context === undefined) {
        context = publicContexts.get('') ?? createSecureContext();
        publicContexts.set('', context);
      }
      return {
        context,
        serverName: tls.sni,
        alpn: protocol === 'http2' ? ['h2'] : protocol === 'http1' ? ['http/1.1'] : [],
        meshPeer: false,
        subjectAltNames: tls.subjectAltNames ?? (tls.sni ? [tls.sni] : []),
        ...(tls.insecureSkipVerify ? { insecureSkipVerify: true } : {}),
      };
    }
  }
}
