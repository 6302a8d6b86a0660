import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { FakeClock, systemClock } from '@kind-e2e/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createAuthority,
  issueSpiffeCertificate,
  loadOrCreateAuthority,
  loadOrCreateCertificate,
  loadOrCreateSigningKey,
  readCertificate,
} from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pki-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a server and a client with certificates of one CA trust each other', async () => {
  const ca = createAuthority({ commonName: 'kubernetes' });
  const server = ca.issue({
    subject: { commonName: 'kube-apiserver' },
    altNames: { dnsNames: ['localhost', 'kubernetes.default.svc'], ipAddresses: ['127.0.0.1', '::1'] },
    use: 'server',
  });
  const client = ca.issue({
    subject: { commonName: 'kubernetes-admin', organizations: ['system:masters', 'others'] },
    use: 'client',
  });
  const seen: unknown[] = [];
  const listener = createServer(
    { cert: server.certPem, key: server.keyPem, ca: ca.certPem, requestCert: true, rejectUnauthorized: true },
    (req, res) => {
      seen.push((req.socket as TLSSocket).getPeerCertificate().subject);
      res.end('ok');
    },
  ).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address() as AddressInfo;
  const status = await new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, ca: ca.certPem, cert: client.certPem, key: client.keyPem, agent: false },
      (res) => {
        res.resume();
        resolve(res.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
  expect(seen).toEqual([{ CN: 'kubernetes-admin', O: ['system:masters', 'others'] }]);
  await new Promise((resolve) => listener.close(resolve));
});

test('a SPIFFE certificate names the workload, is a leaf and ends in time', () => {
  const clock = new FakeClock();
  const ca = createAuthority({ commonName: 'istiod', uris: ['spiffe://cluster.local'], clock });
  const leaf = issueSpiffeCertificate(ca, 'spiffe://cluster.local/ns/default/sa/front-end', 3_600_000);
  const certificate = new X509Certificate(leaf.certPem);
  expect(certificate.subjectAltName).toBe('URI:spiffe://cluster.local/ns/default/sa/front-end');
  expect(certificate.ca).toBe(false);
  expect(new X509Certificate(ca.certPem).ca).toBe(true);
  expect(certificate.checkIssued(new X509Certificate(ca.certPem))).toBe(true);
  expect(certificate.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
  expect(readCertificate(leaf.certPem).notAfterMs).toBe(clock.now() + 3_600_000);
});

test('files are private, kept while good, and made anew when a name is missing or the end is near', () => {
  const ca = loadOrCreateAuthority(folder, 'ca', { commonName: 'kubernetes' });
  expect(loadOrCreateAuthority(folder, 'ca', { commonName: 'kubernetes' }).certPem).toBe(ca.certPem);
  expect(statSync(join(folder, 'ca.key')).mode & 0o777).toBe(0o600);
  const request = {
    subject: { commonName: 'kube-apiserver' },
    altNames: { ipAddresses: ['127.0.0.1'] },
    use: 'server',
  } as const;
  const first = loadOrCreateCertificate(folder, 'apiserver', ca, request);
  expect(loadOrCreateCertificate(folder, 'apiserver', ca, request)).toEqual(first);
  const more = loadOrCreateCertificate(folder, 'apiserver', ca, {
    ...request,
    altNames: { ipAddresses: ['127.0.0.1', '127.11.0.1'] },
  });
  expect(more.certPem).not.toBe(first.certPem);
  const later = new FakeClock(systemClock.now() + 350 * 86_400_000);
  expect(loadOrCreateCertificate(folder, 'apiserver', ca, { ...request, clock: later }).certPem).not.toBe(more.certPem);
  const other = createAuthority({ commonName: 'other' });
  expect(loadOrCreateCertificate(folder, 'apiserver', other, request).certPem).not.toBe(more.certPem);
  expect(loadOrCreateSigningKey(folder, 'sa')).toBe(loadOrCreateSigningKey(folder, 'sa'));
});
