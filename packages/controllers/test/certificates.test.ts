import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { parseCertificationRequest } from '@kind-e2e/kube-api';
import { RESOURCES } from '@kind-e2e/kube-client';
import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { until } from './objects.ts';

const tlv = (tag: number, ...content: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const ORGANIZATION = Buffer.from('060355040a', 'hex');
const ALT_NAME = Buffer.from('0603551d11', 'hex');
const EXTENSION_REQUEST = Buffer.from('06092a864886f70d01090e', 'hex');
const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');

/** A certification request as `openssl req` makes it. */
function requestOf(
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  subject: { name: string; groups?: readonly string[]; dns?: string },
): string {
  const part = (type: Buffer, text: string): Buffer => tlv(0x31, tlv(0x30, type, tlv(0x0c, Buffer.from(text))));
  const names = tlv(0x30, tlv(0x82, Buffer.from(subject.dns ?? '')));
  const info = tlv(
    0x30,
    tlv(0x02, Buffer.from([0])),
    tlv(0x30, ...(subject.groups ?? []).map((group) => part(ORGANIZATION, group)), part(COMMON_NAME, subject.name)),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(
      0xa0,
      ...(subject.dns
        ? [tlv(0x30, EXTENSION_REQUEST, tlv(0x31, tlv(0x30, tlv(0x30, ALT_NAME, tlv(0x04, names)))))]
        : []),
    ),
  );
  const signature = sign('sha256', info, privateKey);
  const der = tlv(0x30, info, tlv(0x30, ECDSA_SHA256), tlv(0x03, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('certificate requests', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ kubelet: false });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const create = (name: string, pem: string, spec: object = {}): Promise<CertificateSigningRequest> =>
    cluster.client.create<CertificateSigningRequest>(RESOURCES.certificatesigningrequests, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: Buffer.from(pem).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
        ...spec,
      },
    });
  const approve = (csr: CertificateSigningRequest): Promise<unknown> =>
    cluster.client.update<CertificateSigningRequest>(
      RESOURCES.certificatesigningrequests,
      {
        ...csr,
        status: { ...csr.status, conditions: [{ type: 'Approved', status: 'True', reason: 'Test', message: 'ok' }] },
      },
      { subresource: 'approval' },
    );
  const settled = (name: string): Promise<CertificateSigningRequest> =>
    until(
      () => cluster.client.get<CertificateSigningRequest>(RESOURCES.certificatesigningrequests, name),
      ({ status }) =>
        status?.certificate !== undefined || (status?.conditions?.some(({ type }) => type === 'Failed') ?? false),
    );

  it('are signed once they are approved, and the API server knows their holders', async () => {
    const keys = newKeys();
    const csr = await create('jane', requestOf(keys, { name: 'jane', groups: ['dev', 'ops'] }), {
      expirationSeconds: 3_600,
    });
    await approve(csr);
    const pem = Buffer.from((await settled('jane')).status?.certificate ?? '', 'base64').toString();
    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe('O=dev\nO=ops\nCN=jane');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.checkIssued(new X509Certificate(cluster.connection.caPem ?? ''))).toBe(true);
    expect(certificate.validToDate.getTime() - Date.now()).toBeLessThan(3_601_000);
    const review = request(new URL('/apis/authentication.k8s.io/v1/selfsubjectreviews', cluster.connection.server), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ca: cluster.connection.caPem,
      cert: pem,
      key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    });
    const answer = new Promise((resolve, reject) => {
      review.on('response', (response) => resolve(json(response)));
      review.on('error', reject);
    });
    review.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }));
    expect(await answer).toMatchObject({
      status: { userInfo: { username: 'jane', groups: ['dev', 'ops', 'system:authenticated'] } },
    });
  });

  it('fail where the signer does not sign such', async () => {
    await approve(
      await create('odd', requestOf(newKeys(), { name: 'odd' }), { usages: ['server auth', 'client auth'] }),
    );
    expect((await settled('odd')).status?.conditions?.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'invalid usage for client certificate: server auth',
    });
    const kubelet = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] };
    await approve(await create('node', requestOf(newKeys(), { name: 'system:node:a', dns: 'a' }), kubelet));
    expect((await settled('node')).status?.conditions?.at(-1)?.message).toBe(
      'subject organization is not system:nodes',
    );
    const good = { name: 'system:node:a', groups: ['system:nodes'], dns: 'a.example' };
    await approve(await create('good', requestOf(newKeys(), good), kubelet));
    const pem = Buffer.from((await settled('good')).status?.certificate ?? '', 'base64').toString();
    expect(new X509Certificate(pem).subjectAltName).toBe('DNS:a.example');
  });

  it('are not signed for a key that somebody else has', async () => {
    const forged = requestOf({ publicKey: newKeys().publicKey, privateKey: newKeys().privateKey }, { name: 'eve' });
    await approve(await create('eve', forged));
    // Signed in turn: when the next one is, this one would have been.
    await approve(await create('next', requestOf(newKeys(), { name: 'next' })));
    await settled('next');
    const { status } = await cluster.client.get<CertificateSigningRequest>(RESOURCES.certificatesigningrequests, 'eve');
    expect(status?.certificate).toBeUndefined();
  });
});

describe('a certification request', () => {
  it('is read with its names', () => {
    const pem = requestOf(newKeys(), { name: 'system:node:a', groups: ['system:nodes'], dns: 'a.example' });
    expect(parseCertificationRequest(pem)).toMatchObject({
      commonName: 'system:node:a',
      organizations: ['system:nodes'],
      dnsNames: ['a.example'],
      signatureAlgorithm: '1.2.840.10045.4.3.2',
    });
  });

  it.each([
    ['nothing', 'PEM block type must be CERTIFICATE REQUEST'],
    ['-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n', 'asn1: syntax error'],
    ['-----BEGIN CERTIFICATE REQUEST-----\nBQA=\n-----END CERTIFICATE REQUEST-----\n', 'asn1: structure error'],
  ])('says what is wrong with %j', (pem, message) => {
    expect(() => parseCertificationRequest(pem)).toThrow(message);
  });
});
