import { Agent, get } from 'node:http';
import type { Config } from './config.ts';

export interface BusinessLogicAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** business-logic did not answer: `cause` says why. */
export class BusinessLogicUnreachable extends Error {
  constructor(url: URL, cause: unknown) {
    super(`business-logic did not answer at ${url.href}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'BusinessLogicUnreachable';
  }
}

const agent = new Agent({ keepAlive: true });

/**
 * Asks business-logic. `node:http` and not `fetch`, since the HTTP instrumentation wraps the former: it gives the
 * client span and passes the context on.
 */
export function askBusinessLogic(config: Config, path: string): Promise<BusinessLogicAnswer> {
  const url = new URL(path, config.businessLogicUrl);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(new BusinessLogicUnreachable(url, cause));
    const request = get(url, { agent, headers: { accept: 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body: parse(text) });
      });
    });
    request.setTimeout(config.businessLogicTimeoutMs, () => {
      request.destroy(new Error(`no answer within ${config.businessLogicTimeoutMs / 1_000} s`));
    });
    request.on('error', fail);
  });
}

/** JSON where it is JSON, the text where a proxy answered in its own words. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
