export {
  type Authority,
  type AuthorityOptions,
  type CertificatePair,
  type CertificateRequest,
  createAuthority,
  createSigningKeyPem,
  issueSpiffeCertificate,
  openAuthority,
  type RawRequest,
  readCertificate,
} from './authority.ts';
export type { CertificateUse, Subject, SubjectAltNames } from './certificate.ts';
export { loadOrCreateAuthority, loadOrCreateCertificate, loadOrCreateSigningKey, writePrivateFile } from './files.ts';
