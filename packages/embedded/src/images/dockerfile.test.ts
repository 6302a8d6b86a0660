import { describe, expect, it } from 'vitest';
import { parseDockerfile } from './dockerfile.ts';

const BASE = 'FROM node:24 AS build\nWORKDIR /src\nCOPY . .\nRUN npm run build\n\nFROM node:24\n';

describe('parseDockerfile', () => {
  it('reads the last stage', () => {
    const stage = parseDockerfile(
      `${BASE}WORKDIR /srv
COPY --from=build --chown=0:0 /src/dist/app /srv/app
COPY --from=build dist/public ./public
ENV NODE_ENV=production PORT=8080
USER 65532:65532
EXPOSE 8080 9090/udp
LABEL a="b c"
HEALTHCHECK CMD ["true"]
ENTRYPOINT ["node", "/srv/app/main.cjs"]
CMD ["--quiet"]
`,
      'Dockerfile',
    );
    expect(stage).toEqual({
      base: 'node:24',
      copies: [
        { from: 'dist/app', to: '/srv/app' },
        { from: 'dist/public', to: '/srv/public' },
      ],
      entrypoint: ['node', '/srv/app/main.cjs'],
      cmd: ['--quiet'],
      env: { NODE_ENV: 'production', PORT: '8080' },
      labels: { a: 'b c' },
      user: '65532:65532',
      workingDir: '/srv',
      exposedPorts: ['8080', '9090/udp'],
      stopSignal: undefined,
      sbom: undefined,
    });
  });

  it('knows where the build stage puts the bill of materials', () => {
    const text = `FROM node:24 AS build
WORKDIR /src
RUN npm run build && npm sbom --omit=dev --sbom-format=cyclonedx > dist/app/sbom.cdx.json
FROM node:24
CMD ["node"]
`;
    expect(parseDockerfile(text, 'Dockerfile').sbom).toEqual({
      args: ['--omit=dev', '--sbom-format=cyclonedx'],
      file: 'dist/app/sbom.cdx.json',
    });
  });

  it.each([
    [
      'an argument',
      'ARG IMAGE=node:24@sha256:1\nFROM x AS build\nFROM --platform=linux/amd64 ${IMAGE}\nCMD ["a"]\n',
      'node:24@sha256:1',
    ],
    ['an earlier stage', 'FROM x AS build\nFROM build\nCMD ["a"]\n', undefined],
  ])('knows the base image: %s', (_, text, base) => {
    expect(parseDockerfile(text, 'Dockerfile').base).toBe(base);
  });

  it.each([
    ['RUN in the last stage', `${BASE}RUN apt-get update\nCMD ["node"]\n`, 'Dockerfile:7: RUN in the last stage'],
    [
      'a copy from the context',
      `${BASE}COPY app /srv\nCMD ["node"]\n`,
      'Dockerfile:7: COPY in the last stage must be --from',
    ],
    ['a copy from elsewhere', `${BASE}COPY --from=build /etc/passwd /x\nCMD ["node"]\n`, 'outside of the build stage'],
    ['the shell form', `${BASE}ENTRYPOINT node main.js\n`, 'Dockerfile:7: ENTRYPOINT must be in the JSON form'],
    ['nothing to run', BASE, 'Dockerfile:6: the last stage has neither ENTRYPOINT nor CMD'],
    ['no FROM', 'CMD ["node"]\n', 'there is no FROM'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseDockerfile(text, 'Dockerfile')).toThrow(message);
  });
});
