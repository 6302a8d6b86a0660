import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { JobDefinition } from '../build/build-store.ts';
import type { PendingInput } from '../build/record.ts';
import { type Call, isPost, methodNotAllowed, notFound, readForm, sendJson, sendText, sendView } from './call.ts';
import { buildView, parameterView, runView, testView } from './views.ts';

/** What is below `/job/NAME/NUMBER`. */
export async function answerBuild(call: Call, job: JobDefinition, which: string, rest: string): Promise<void> {
  const { pipelines, base, response, url } = call;
  const record = /^\d+$/.test(which)
    ? pipelines.build(job.name, Number(which))
    : pipelines.builds(job.name).find((one) => matchesAlias(one, which));
  if (!record) return notFound(call);
  const { number } = record;
  switch (rest) {
    // A build's page, as `BUILD_URL` names it, is the console's.
    case '':
    case 'console':
      response.writeHead(302, { location: `${base}?build=${encodeURIComponent(`${job.name}/${number}`)}` }).end();
      return;
    case 'api/json':
      return sendView(call, buildView(record, base));
    case 'consoleText':
      response.writeHead(200, { 'content-type': 'text/plain;charset=utf-8' });
      createReadStream(pipelines.store.logFile(job.name, number))
        .on('error', () => response.destroy())
        .pipe(response);
      return;
    case 'logText/progressiveText':
    case 'logText/progressiveHtml': {
      const form = isPost(call) ? await readForm(call) : {};
      const start = Number(form.start ?? url.searchParams.get('start') ?? 0) || 0;
      return sendLog(
        call,
        record.building,
        pipelines.store.logFile(job.name, number),
        pipelines.store.logSize(job.name, number),
        start,
        rest.endsWith('Html'),
      );
    }
    case 'testReport/api/json':
      return record.tests.length === 0 ? notFound(call) : sendView(call, testView(record));
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
      // `term` and `kill` are answered without a redirect (workflow-job's WorkflowRun).
      if (rest !== 'stop') return sendText(response, '', 'text/plain');
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

/** Permalinks of a job (hudson.model.PermalinkProjectAction). */
function matchesAlias({ building, result }: { building: boolean; result: string }, alias: string): boolean {
  if (alias === 'lastBuild') return true;
  if (building) return false;
  switch (alias) {
    case 'lastSuccessfulBuild':
      return result === 'SUCCESS' || result === 'UNSTABLE';
    case 'lastStableBuild':
      return result === 'SUCCESS';
    case 'lastUnstableBuild':
      return result === 'UNSTABLE';
    case 'lastUnsuccessfulBuild':
      return result !== 'SUCCESS';
    case 'lastFailedBuild':
      return result === 'FAILURE';
    default:
      return alias === 'lastCompletedBuild';
  }
}

function inputView(input: PendingInput, job: string, number: number) {
  const path = `/job/${encodeURIComponent(job)}/${number}/input/${encodeURIComponent(input.id)}`;
  return {
    id: input.id,
    message: input.message,
    proceedText: input.ok,
    proceedUrl: `${path}/proceedEmpty`,
    abortUrl: `${path}/abort`,
    inputs: input.parameters.map(parameterView),
  };
}

function sendLog(call: Call, isBuilding: boolean, file: string, size: number, start: number, isHtml: boolean): void {
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
    'content-type': `text/${isHtml ? 'html' : 'plain'};charset=utf-8`,
    'x-text-size': String(from + length),
    ...(isBuilding ? { 'x-more-data': 'true' } : {}),
  });
  const text = content.subarray(0, length);
  call.response.end(isHtml ? escapeHtml(text.toString('utf8')) : text);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
