import { messageOf } from '@kind-e2e/base';
import { formatTime, parseCertificationRequest } from '@kind-e2e/kube-api';
import { createController, keyOf, RESOURCES, source } from '@kind-e2e/kube-client';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from 'kubernetes-types/certificates/v1.d.ts';
import type { ControllerContext } from '../context.ts';
import { signatureProblem } from './signature.ts';
import { SIGNERS } from './signers.ts';

/** --cluster-signing-duration. */
const LONGEST_MS = 365 * 86_400_000;

/** Signs with the cluster's CA; gives the certificate as PEM. */
export type SignCertificate = (request: {
  /** DER of the subject's name, of the SubjectPublicKeyInfo, and of the GeneralNames beside it. */
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly altNames: Buffer | undefined;
  /** As in `spec.usages`: `client auth`. */
  readonly usages: readonly string[];
  readonly validityMs: number;
}) => string;

/** Signs certificate requests that were approved (upstream pkg/controller/certificates/signer). */
export function startCsrSigningController(context: ControllerContext, sign: SignCertificate): AsyncDisposable {
  const { client, clock, informers } = context;
  const requests = informers.of('certificatesigningrequests');

  async function reconcile(csr: CertificateSigningRequest, signal: AbortSignal): Promise<void> {
    const rule = Object.hasOwn(SIGNERS, csr.spec.signerName) ? SIGNERS[csr.spec.signerName] : undefined;
    if (!rule || csr.status?.certificate || !has(csr, 'Approved') || has(csr, 'Denied') || has(csr, 'Failed')) return;
    const { usages = [], expirationSeconds } = csr.spec as { usages?: string[]; expirationSeconds?: number };
    const request = parseCertificationRequest(Buffer.from(csr.spec.request, 'base64').toString('latin1'));
    const problem = rule(request, usages);
    if (problem !== undefined) {
      await fail(csr, 'SignerValidationFailure', problem, signal);
      return;
    }
    const forged = signatureProblem(request);
    if (forged !== undefined)
      throw new Error(`error auto signing csr: unable to verify certificate request signature: ${forged}`);
    const validityMs = Math.min(LONGEST_MS, (expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000);
    const certificate = Buffer.from(sign({ ...request, usages, validityMs })).toString('base64');
    await update({ ...csr, status: { ...csr.status, certificate } }, signal);
  }

  function fail(csr: CertificateSigningRequest, reason: string, message: string, signal: AbortSignal): Promise<void> {
    const condition: CertificateSigningRequestCondition = {
      type: 'Failed',
      status: 'True',
      reason,
      message,
      lastUpdateTime: formatTime(clock.now()),
    };
    return update(
      { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] } },
      signal,
    );
  }

  async function update(csr: CertificateSigningRequest, signal: AbortSignal): Promise<void> {
    await client.update<CertificateSigningRequest>(RESOURCES.certificatesigningrequests, csr, {
      subresource: 'status',
      signal,
    });
  }

  return createController({
    name: 'certificate-controller',
    clock,
    logger: context.logger,
    sources: [source(requests, (csr) => [keyOf(csr)])],
    reconcile: async ({ name, signal }) => {
      const csr = requests.get(name);
      if (!csr) return undefined;
      try {
        await reconcile(csr, signal);
      } catch (error) {
        if (!signal.aborted)
          context.logger.warn('a certificate request could not be signed', { name, error: messageOf(error) });
        throw error;
      }
      return undefined;
    },
  });
}

function has(csr: CertificateSigningRequest, type: string): boolean {
  return csr.status?.conditions?.some((condition) => condition.type === type) ?? false;
}
