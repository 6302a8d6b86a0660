import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LabError } from '@kind-e2e/base';
import type { JobDefinition } from '../build/build-store.ts';
import type { Pipelines } from '../controller/pipelines.ts';
import { buildView, itemView, jobView, rootView, runView, testView } from './views.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * A subset of Jenkins' remote API (jenkins.io/doc/book/using/remote-access-api): what the npm package `jenkins` and the
 * console ask for. Served with and without the prefix `/jenkins`. `tree`, `depth` and `pretty` are taken and change
 * nothing: the whole answer is given. Gives false for paths that are none of its.
 */
export function createJenkinsApi(
  pipelines: Pipelines,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://jenkins');
    const path = url.pathname.replace(/^\/jenkins(?=\/|$)/, '').replace(/\/+$/, '');
    if (!/^\/(api|job|queue|crumbIssuer|createItem|computer)(\/|$)/.test(path)) return false;
    if (isForeign(request)) {
      sendJson(response, 403, { message: 'pages of other origins may not change anything here' });
      return true;
    }
    const base = `http://${request.headers['x-forwarded-host'] ?? request.headers.host ?? 'localhost'}/jenkins`;
    answer({ pipelines, url, path, base, request, response }).catch((error: unknown) => {
      const status =
        error instanceof LabError && error.side === 'user' ? (error.code.startsWith('NO_') ? 404 : 400) : 500;
      if (response.headersSent) response.destroy();
      else
        sendJson(response, status, {
          message: error instanceof Error ? error.message : String(error),
          remedy: error instanceof LabError ? error.remedy : undefined,
        });
    });
    return true;
  };
}

/** A POST that a browser sent for a page of another origin. Programs send no `Origin`. */
function isForeign(request: IncomingMessage): boolean {
  const { origin } = request.headers;
  if (origin === undefined || request.method === 'GET' || request.method === 'HEAD') return false;
  const host = request.headers['x-forwarded-host'] ?? request.headers.host;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

interface Call {
  readonly pipelines: Pipelines;
  readonly url: URL;
  readonly path: string;
  readonly base: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(call: Call): Promise<void> {
  const { pipelines, path, base, response } = call;
  response.setHeader('x-jenkins', '2.528');
  if (path === '/api/json') return sendJson(response, 200, rootView(pipelines, base));
  if (path === '/crumbIssuer/api/json')
    return sendJson(response, 200, {
      _class: 'hudson.security.csrf.DefaultCrumbIssuer',
      crumb: 'kind-e2e',
      crumbRequestField: 'Jenkins-Crumb',
    });
  if (path === '/computer/api/json') return sendJson(response, 200, computers(pipelines));
  if (path === '/createItem') return define(call, call.url.searchParams.get('name') ?? '');
  if (path === '/queue/api/json')
    return sendJson(response, 200, {
      _class: 'hudson.model.Queue',
      items: pipelines.queue.map((item) => itemView(item, base)),
    });
  const queued = /^\/queue\/item\/(\d+)\/api\/json$/.exec(path);
  if (queued) {
    const item = pipelines.item(Number(queued[1]));
    return item ? sendJson(response, 200, itemView(item, base)) : notFound(call);
  }
  if (path === '/queue/cancelItem' && isPost(call)) {
    response.writeHead(pipelines.cancel(Number(call.url.searchParams.get('id'))) ? 204 : 404).end();
    return;
  }
  const found =
    /^\/job\/([^/]+)(?:\/(\d+|lastBuild|lastCompletedBuild|lastSuccessfulBuild|lastFailedBuild))?(?:\/(.*))?$/.exec(
      path,
    );
  const name = decodeURIComponent(found?.[1] ?? '');
  const job = found ? pipelines.store.job(name) : undefined;
  if (!job) return notFound(call);
  const [, , which, rest = ''] = found ?? [];
  return which === undefined ? answerJob(call, job, rest) : answerBuild(call, job, which, rest);
}

async function answerJob(call: Call, job: JobDefinition, rest: string): Promise<void> {
  const { pipelines, base, response } = call;
  switch (rest) {
    case 'api/json':
      return sendJson(response, 200, jobView(pipelines, job, base));
    case 'wfapi/runs':
      return sendJson(
        response,
        200,
        pipelines.builds(job.name).map((record) => runView(record, base)),
      );
    case 'config.json':
      return isPost(call) ? define(call, job.name) : sendJson(response, 200, job);
    case 'doDelete':
      if (!isPost(call)) return methodNotAllowed(response);
      pipelines.store.deleteJob(job.name);
      response.writeHead(302, { location: base }).end();
      return;
    case 'build':
    case 'buildWithParameters': {
      if (!isPost(call)) return methodNotAllowed(response);
      const declared = pipelines.parametersOf(job.name);
      const given = rest === 'build' ? {} : await readForm(call);
      for (const name of Object.keys(given))
        if (
          !['token', 'delay', 'cause', 'json'].includes(name) &&
          declared.length > 0 &&
          !declared.some((one) => one.name === name)
        )
          return sendJson(response, 400, {
            message: `the job ${job.name} has no parameter ${name}: ${declared.map((one) => one.name).join(', ')}`,
          });
      const item = pipelines.request(job.name, {
        cause: { kind: 'UserIdCause', text: 'Started by user admin' },
        parameters: given,
      });
      response.writeHead(201, { location: `${base}/queue/item/${item.id}/` }).end();
      return;
    }
    default:
      return notFound(call);
  }
}

async function answerBuild(call: Call, job: JobDefinition, which: string, rest: string): Promise<void> {
  const { pipelines, base, response, url } = call;
  const record = /^\d+$/.test(which)
    ? pipelines.build(job.name, Number(which))
    : pipelines.builds(job.name).find((one) => matchesAlias(one, which));
  if (!record) return notFound(call);
  const { number } = record;
  switch (rest) {
    case 'api/json':
      return sendJson(response, 200, buildView(record, base));
    case 'consoleText':
      response.writeHead(200, { 'content-type': 'text/plain;charset=utf-8' });
      createReadStream(pipelines.store.logFile(job.name, number))
        .on('error', () => response.destroy())
        .pipe(response);
      return;
    case 'logText/progressiveText': {
      const form = isPost(call) ? await readForm(call) : {};
      const start = Number(form.start ?? url.searchParams.get('start') ?? 0) || 0;
      return sendLog(
        call,
        record.building,
        pipelines.store.logFile(job.name, number),
        pipelines.store.logSize(job.name, number),
        start,
      );
    }
    case 'testReport/api/json':
      return record.tests.length === 0 ? notFound(call) : sendJson(response, 200, testView(record));
    case 'wfapi/describe':
      return sendJson(response, 200, runView(record, base));
    case 'wfapi/pendingInputActions':
      return sendJson(
        response,
        200,
        record.inputs.map((input) => inputView(input, job.name, number)),
      );
    case 'stop':
    case 'term':
    case 'kill':
      if (!isPost(call)) return methodNotAllowed(response);
      pipelines.stop(job.name, number, 'admin');
      response.writeHead(302, { location: `${base}/job/${encodeURIComponent(job.name)}/${number}/` }).end();
      return;
    case 'restart':
    case 'replay': {
      if (!isPost(call)) return methodNotAllowed(response);
      const form = await readForm(call);
      const item =
        rest === 'replay'
          ? pipelines.replay(job.name, number, form.mainScript)
          : pipelines.restart(job.name, number, form.stage ?? form.stageName ?? '');
      response.writeHead(201, { location: `${base}/queue/item/${item.id}/` }).end();
      return;
    }
  }
  const artifact = /^artifact\/(.+)$/.exec(rest);
  if (artifact) {
    const file = pipelines.store.artifactFile(job.name, number, decodeURIComponent(artifact[1] ?? ''));
    if (file === undefined) return notFound(call);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-security-policy': "sandbox; default-src 'none'",
    });
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
    return;
  }
  const input = /^input\/([^/]+)\/(proceedEmpty|proceed|abort|submit)$/.exec(rest);
  if (input && isPost(call)) {
    const values = await readForm(call);
    const done = pipelines.answer(
      job.name,
      number,
      decodeURIComponent(input[1] ?? ''),
      input[2] === 'abort' ? 'abort' : 'proceed',
      values,
    );
    response.writeHead(done ? 200 : 404).end();
    return;
  }
  return notFound(call);
}

function matchesAlias(record: { building: boolean; result: string }, alias: string): boolean {
  if (alias === 'lastBuild') return true;
  if (record.building) return false;
  if (alias === 'lastSuccessfulBuild') return record.result === 'SUCCESS' || record.result === 'UNSTABLE';
  return alias === 'lastCompletedBuild' || record.result === 'FAILURE';
}

function inputView(input: { id: string; message: string; ok: string }, job: string, number: number) {
  const path = `/job/${encodeURIComponent(job)}/${number}/input/${encodeURIComponent(input.id)}`;
  return {
    id: input.id,
    message: input.message,
    proceedText: input.ok,
    proceedUrl: `${path}/proceedEmpty`,
    abortUrl: `${path}/abort`,
    inputs: [],
  };
}

function computers(pipelines: Pipelines): unknown {
  const { agents } = pipelines.agents;
  return {
    _class: 'hudson.model.ComputerSet',
    busyExecutors: agents.reduce((sum, agent) => sum + agent.busy, 0),
    totalExecutors: agents.reduce((sum, agent) => sum + agent.executors, 0),
    computer: agents.map((agent) => ({
      _class: 'hudson.slaves.SlaveComputer',
      displayName: agent.name,
      assignedLabels: [agent.name, ...agent.labels].map((name) => ({ name })),
      idle: agent.busy === 0,
      offline: !agent.isOnline,
      numExecutors: agent.executors,
    })),
  };
}

async function define(call: Call, name: string): Promise<void> {
  const { pipelines, request, response, base } = call;
  if (!isPost(call)) return methodNotAllowed(response);
  if (!(request.headers['content-type'] ?? '').includes('json'))
    return sendJson(response, 415, {
      message: 'jobs are given as JSON: {"script": "pipeline { … }"} or {"scm": {"url", "branch", "scriptPath"}}',
    });
  const given = JSON.parse(await readBody(call)) as Omit<JobDefinition, 'name'>;
  pipelines.define({ ...given, name });
  response.writeHead(200, { location: `${base}/job/${encodeURIComponent(name)}/` }).end();
}

function sendLog(call: Call, isBuilding: boolean, file: string, size: number, start: number): void {
  const from = Math.max(0, Math.min(start, size));
  const content = Buffer.alloc(size - from);
  const handle = openSync(file, 'r');
  let length = 0;
  try {
    while (length < content.length) {
      const read = readSync(handle, content, length, content.length - length, from + length);
      if (read === 0) break;
      length += read;
    }
  } finally {
    closeSync(handle);
  }
  call.response.writeHead(200, {
    'content-type': 'text/plain;charset=utf-8',
    'x-text-size': String(from + length),
    ...(isBuilding ? { 'x-more-data': 'true' } : {}),
  });
  call.response.end(content.subarray(0, length));
}

const isPost = (call: Call): boolean => call.request.method === 'POST';

function methodNotAllowed(response: ServerResponse): void {
  response.writeHead(405, { allow: 'POST', 'content-type': 'text/plain' }).end('Form post required\n');
}

function notFound(call: Call): void {
  sendJson(call.response, 404, { message: `nothing is at ${call.path}` });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json;charset=utf-8', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

async function readBody(call: Call): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of call.request) {
    size += (part as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw new LabError('the body is larger than 4 MB', { code: 'BODY_TOO_LARGE', side: 'user' });
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Parameters of the query, of a form, or of JSON. */
async function readForm(call: Call): Promise<Record<string, string>> {
  const body = await readBody(call);
  const type = call.request.headers['content-type'] ?? '';
  const query = Object.fromEntries(call.url.searchParams);
  if (type.includes('json') && body !== '') {
    const given = JSON.parse(body) as Record<string, unknown>;
    return { ...query, ...Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)])) };
  }
  const { json, ...fields } = Object.fromEntries(new URLSearchParams(body));
  return { ...query, ...fields, ...(json === undefined ? {} : parametersOfForm(json)) };
}

/** Jenkins' own forms, and scripts that imitate them, send `json={"parameter":[{"name":"A","value":"b"}]}`. */
function parametersOfForm(json: string): Record<string, string> {
  try {
    const given = JSON.parse(json) as { parameter?: FormParameter | readonly FormParameter[] };
    const list = given.parameter === undefined ? [] : [given.parameter].flat();
    return Object.fromEntries(list.map(({ name, value }) => [String(name), String(value ?? '')]));
  } catch (error) {
    throw new LabError(`json of the form is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'FORM_JSON',
      side: 'user',
      remedy: 'send json={"parameter":[{"name":"…","value":"…"}]}',
      cause: error,
    });
  }
}

interface FormParameter {
  readonly name: unknown;
  readonly value: unknown;
}
