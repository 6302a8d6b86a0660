import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { isRecord } from '@kind-e2e/kube-api';
import { goJsonError } from '../../http/go-json-error.ts';
import type { Json } from '../pod-parts.ts';
import { hostnameProblem, networkProblem } from './network-problem.ts';
import type { WebhookAddress } from './webhook-address.ts';

/** Answers of a webhook are read to this length (`rest.Config` of webhooks has no other bound). */
const MAX_ANSWER_BYTES = 3 * 1024 * 1024;

/** Why a webhook did not answer, in the words of client-go. */
export class WebhookAnswerError extends Error {
  override readonly name = 'WebhookAnswerError';
}

/** A webhook's URL, which tells how long we wait. */
export function withTimeout(url: string, seconds: number): string {
  return `${url}${url.includes('?') ? '&' : '?'}timeout=${seconds}s`;
}

/** Posts a review and gives the answer, which is of some kind. Throws a `WebhookAnswerError`. */
export async function postReview(to: WebhookAddress, body: Json, timeoutSeconds: number): Promise<Json> {
  const url = withTimeout(to.url, timeoutSeconds);
  const { status, text } = await post(to, url, JSON.stringify(body), timeoutSeconds * 1000);
  if (status < 200 || status > 206) throw new WebhookAnswerError(statusProblem(status, text));
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new WebhookAnswerError(`couldn't get version/kind; json parse error: ${goJsonError(text) ?? 'invalid JSON'}`);
  }
  if (!isRecord(answer))
    throw new WebhookAnswerError(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(answer) ? 'array' : typeof answer} into Go value of type struct { APIVersion string "json:"apiVersion,omitempty""; Kind string "json:"kind,omitempty"" }`,
    );
  if (typeof answer.kind !== 'string' || answer.kind === '')
    throw new WebhookAnswerError(`Object 'Kind' is missing in '${text}'`);
  return answer;
}

function post(
  to: WebhookAddress,
  href: string,
  body: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(href);
  const signal = AbortSignal.timeout(timeoutMs);
  const host = to.address?.host ?? url.hostname;
  const port = to.address?.port ?? (url.port === '' ? 443 : Number(url.port));
  const failed = (error: unknown): WebhookAnswerError =>
    new WebhookAnswerError(
      `Post ${JSON.stringify(href)}: ${signal.aborted ? 'context deadline exceeded' : networkProblem(error, host, port)}`,
      { cause: error },
    );
  return new Promise((resolve, reject) => {
    const sent = requestHttps(
      {
        host,
        port,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        // The name that the certificate is for, wherever the service is.
        servername: isIP(url.hostname) === 0 ? url.hostname : '',
        checkServerIdentity: (_host, certificate) => hostnameProblem(url.hostname, certificate),
        ca: to.caPem ?? [...rootCertificates],
        agent: false,
        signal,
        headers: {
          host: url.host,
          accept: 'application/json, */*',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'kube-apiserver-admission',
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_ANSWER_BYTES) response.destroy(new Error('http: request body too large'));
          else chunks.push(chunk);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', (error) => reject(failed(error)));
      },
    );
    sent.on('error', (error) => reject(failed(error)));
    sent.end(body);
  });
}

/** What client-go makes of an answer that is no success (`errors.NewGenericServerResponse`). */
function statusProblem(status: number, text: string): string {
  const given = statusMessage(text);
  if (given !== undefined) return given;
  switch (status) {
    case 400:
      return 'the server rejected our request for an unknown reason';
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return text.trim();
    case 404:
      return 'the server could not find the requested resource';
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 406:
      return 'the server was unable to respond with a content type that the client supports';
    case 409:
      return 'the server reported a conflict';
    case 413:
      return 'the request entity is too large';
    case 415:
      return 'the body of the request was in an unknown format - accepted media types include: ';
    case 422:
      return 'the server rejected our request due to an error in our request';
    case 429:
      return 'the server has received too many requests and has asked us to try again later';
    case 503:
      return 'the server is currently unable to handle the request';
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request';
  }
  if (status >= 500)
    return `an error on the server (${JSON.stringify(text.trim() === '' ? 'unknown' : text.trim())}) has prevented the request from succeeding`;
  return `the server responded with the status code ${status} but did not return more information`;
}

/** The message of a Status that is the body of an answer. */
function statusMessage(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body) && body.kind === 'Status' && typeof body.message === 'string') return body.message;
  } catch {
    // Most answers like this are plain text.
  }
  return undefined;
}
