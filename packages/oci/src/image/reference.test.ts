import { describe, expect, it } from 'vitest';
import { formatReference, InvalidReferenceError, parseReference } from './reference.ts';

const hex = 'a'.repeat(64);

describe('parseReference', () => {
  it.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['istio/proxyv2:1.30', 'docker.io/istio/proxyv2:1.30'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5001/front-end:dev', 'localhost:5001/front-end:dev'],
    ['127.0.0.1:5001/a/b_c/d-e', '127.0.0.1:5001/a/b_c/d-e:latest'],
    ['[::1]:5001/a:1', '[::1]:5001/a:1'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
    [`quay.io/a/b@sha256:${hex}`, `quay.io/a/b@sha256:${hex}`],
    [`quay.io/a/b:1@sha256:${hex}`, `quay.io/a/b:1@sha256:${hex}`],
    ['index.docker.io/library/redis', 'docker.io/library/redis:latest'],
  ])('%s is %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  it.each([
    ['', 'invalid reference format'],
    ['UPPER', 'invalid reference format: repository name (library/UPPER) must be lowercase'],
    ['a b', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a@sha256:abc', 'invalid reference format'],
    ['localhost:5001/', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['../a', 'invalid reference format'],
    [`a/${'b'.repeat(300)}`, 'repository name must not be more than 255 characters'],
  ])('refuses "%s"', (text, message) => {
    expect(() => parseReference(text)).toThrow(new InvalidReferenceError(message));
  });
});
