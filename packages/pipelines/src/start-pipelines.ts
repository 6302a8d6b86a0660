import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Logger } from '@kind-e2e/base';
import type { KubeClient } from '@kind-e2e/kube-client';
import { type CredentialSource, secretCredentials } from './build/credentials.ts';
import { Pipelines } from './controller/pipelines.ts';
import { createJenkinsApi } from './http/jenkins-api.ts';

export interface StartPipelinesOptions {
  /** For the Secrets that hold credentials. */
  readonly client: KubeClient;
  /** Namespace of these Secrets. Default `jenkins`. */
  readonly namespace?: string;
  /** Jobs, builds and logs. */
  readonly dataDirectory: string;
  readonly agentToken: string;
  /** `http://host:4318`; without it builds give no traces. */
  readonly otlpEndpoint?: string;
  /** Where people see builds. Default `http://localhost:8080/jenkins`. */
  readonly url?: string;
  readonly writeLine?: (line: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In place of the Secrets. */
  readonly credentials?: CredentialSource;
}

export interface RunningPipelines extends AsyncDisposable {
  readonly pipelines: Pipelines;
  /** Agents, the REST API with and without `/jenkins`, `/metrics`, `/healthz`. False for every other path. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Starts the controller. Agents connect to the server that its handler is given to. */
export function startPipelines(options: StartPipelinesOptions): RunningPipelines {
  const { client, namespace = 'jenkins', credentials, url = 'http://localhost:8080/jenkins', ...rest } = options;
  const pipelines = new Pipelines({ ...rest, url, credentials: credentials ?? secretCredentials(client, namespace) });
  const api = createJenkinsApi(pipelines);
  return {
    pipelines,
    handle: (request, response) => {
      if (pipelines.agents.handle(request, response) || api(request, response)) return true;
      const path = (request.url ?? '/').split('?')[0];
      if (path === '/metrics')
        response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(pipelines.metricsText());
      else if (path === '/healthz') response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      else return false;
      return true;
    },
    [Symbol.asyncDispose]: () => pipelines[Symbol.asyncDispose](),
  };
}
