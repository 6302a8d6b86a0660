import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { request } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { createAuthority } from '@kind-e2e/pki';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Identity } from '../src/index.ts';
import { freePort, freshAddress } from './fixture.ts';
import { cluster, FRONT_CLUSTER, startMesh, type TestMesh } from './mesh.ts';

const authority = createAuthority({ commonName: 'public' });

function certificate(name: string): Identity {
  const pair = authority.issue({ subject: { commonName: name }, altNames: { dnsNames: [name] }, use: 'server' });
  return { spiffeId: '', certificateChainPem: pair.certPem, privateKeyPem: pair.keyPem, trustBundlePem: '' };
}

let mesh: TestMesh;
let port: number;

beforeAll(async () => {
  mesh = await startMesh({
    front: (q, s) => s.end(`front ${q.headers.host} ${q.headers['x-forwarded-proto']} ${q.headers['x-sub'] ?? ''}`),
    back: (_q, s) => s.end(),
  });
  port = await freePort(mesh.gateway);
  const passthrough = freshAddress();
  const own = authority.issue({ subject: { commonName: 'c.test' }, altNames: { dnsNames: ['c.test'] }, use: 'server' });
  const server = createTlsServer({ cert: own.certPem, key: own.keyPem }, (socket) =>
    socket.end('from the application itself'),
  );
  const target = await freePort(passthrough);
  await new Promise<void>((resolve) => server.listen(target, passthrough, resolve));
  server.unref();
  await mesh.apply((snapshot) => ({
    ...snapshot,
    identities: { ...snapshot.identities, 'a.test': certificate('a.test'), wild: certificate('*.b.test') },
    clusters: {
      ...snapshot.clusters,
      pass: cluster('pass', [{ address: passthrough, port: target, ready: true }], { tls: { mode: 'disable' } }),
    },
    routeTables: {
      ...snapshot.routeTables,
      tls: {
        name: 'https.443',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: {},
                operation: 'x',
                action: { kind: 'forward', destinations: [{ cluster: FRONT_CLUSTER, weight: 1 }] },
              },
            ],
          },
        ],
      },
    },
    workloads: snapshot.workloads.map((workload) =>
      workload.id === 'gateway'
        ? {
            ...workload,
            gateways: [
              ...workload.gateways,
              {
                address: mesh.gateway,
                port,
                protocol: 'https',
                routes: 'tls',
                tls: [
                  { hosts: ['a.test'], mode: 'SIMPLE', identity: 'a.test' },
                  { hosts: ['*.b.test'], mode: 'SIMPLE', identity: 'wild', minVersion: 'TLSv1.3' },
                  { hosts: ['c.test'], mode: 'PASSTHROUGH' },
                ],
                tcp: [{ sniHosts: ['c.test'], destinations: [{ cluster: 'pass', weight: 1 }] }],
              },
            ],
          }
        : workload,
    ),
  }));
});

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
});

function ask(name: string): Promise<{ status: number; body: string; certificate: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      { host: mesh.gateway, port, servername: name, headers: { host: name }, ca: authority.certPem, agent: false },
      (response) => {
        const socket = response.socket as unknown as { getPeerCertificate(): { subjectaltname?: string } };
        const seen = socket.getPeerCertificate().subjectaltname ?? '';
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, certificate: seen }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('the certificate is chosen by server name', async () => {
  expect(await ask('a.test')).toMatchObject({ status: 200, body: 'front a.test https ', certificate: 'DNS:a.test' });
  expect(await ask('x.b.test')).toMatchObject({ status: 200, certificate: 'DNS:*.b.test' });
  await expect(ask('other.test')).rejects.toThrow();
});

test('TLS that is passed through ends at the application', async () => {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connectTls({ host: mesh.gateway, port, servername: 'c.test', ca: authority.certPem });
    socket.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    socket.on('error', reject);
  });
  expect(text).toBe('from the application itself');
});

test('tokens are verified, and policies see their claims', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' }] });
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object, header: object = { alg: 'RS256', kid: 'k1' }): string => {
    const text = `${encode(header)}.${encode({ iss: 'https://issuer', sub: 'jason', exp: Date.now() / 1000 + 600, ...claims })}`;
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  await mesh.apply((snapshot) => ({
    ...snapshot,
    workloads: snapshot.workloads.map((workload) =>
      workload.id === 'gateway'
        ? {
            ...workload,
            jwtRules: [{ issuer: 'https://issuer', jwks, outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }] }],
            policies: [
              {
                name: 'p',
                namespace: 'd',
                action: 'ALLOW',
                rules: [
                  {
                    from: [{ requestPrincipals: ['https://issuer/*'] }],
                    when: [{ key: 'request.auth.claims[groups]', values: ['admin'] }],
                  },
                ],
              },
            ],
          }
        : workload,
    ),
  }));
  const send = (bearer?: string): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      request(
        {
          host: mesh.gateway,
          port: mesh.gatewayPort,
          path: '/demo-app/x',
          headers: bearer ? { authorization: `Bearer ${bearer}` } : {},
        },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => resolve([response.statusCode ?? 0, body]));
        },
      )
        .on('error', reject)
        .end();
    });
  expect((await send(token({ groups: ['user', 'admin'] })))[0]).toBe(200);
  expect((await send(token({ groups: ['user', 'admin'] })))[1]).toContain('jason');
  expect(await send(token({ groups: ['user'] }))).toEqual([403, 'RBAC: access denied']);
  expect(await send()).toEqual([403, 'RBAC: access denied']);
  expect(await send(token({ exp: 1 }))).toEqual([401, 'Jwt is expired']);
  expect(await send(token({ iss: 'https://other' }))).toEqual([401, 'Jwt issuer is not configured']);
  expect(await send(`${token({ groups: ['admin'] }).slice(0, -8)}AAAAAAAA`)).toEqual([401, 'Jwt verification fails']);
  expect((await send(token({}, { alg: 'none' })))[0]).toBe(401);
  // A key pair's public half used as a shared secret is the classic confusion.
  const confused = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode({ iss: 'https://issuer', sub: 'jason', groups: ['admin'] })}`;
  const forged = createHmac('sha256', publicKey.export({ format: 'pem', type: 'spki' }))
    .update(confused)
    .digest('base64url');
  expect((await send(`${confused}.${forged}`))[0]).toBe(401);
});
