import type { IncomingMessage, ServerResponse } from 'node:http';
import { LabError, messageOf } from '@kind-e2e/base';
import type { Pipelines } from '../controller/pipelines.ts';
import { answerBuild } from './build-api.ts';
import { type Call, isPost, notFound, sendFailure, sendJson, sendView } from './call.ts';
import { answerComputer, labelView } from './computer-api.ts';
import { answerJob, createItem } from './job-api.ts';
import { validate } from './validate-api.ts';
import { allView, itemView, rootView } from './views.ts';

/**
 * A subset of Jenkins' remote API (jenkins.io/doc/book/using/remote-access-api): what the npm package `jenkins` and the
 * console ask for. Served with and without the prefix `/jenkins`. `depth` changes
 * nothing: what it would add is there already. Gives false for paths that are none of its.
 */
export function createJenkinsApi(
  pipelines: Pipelines,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://jenkins');
    const path = url.pathname.replace(/^\/jenkins(?=\/|$)/, '').replace(/\/+$/, '');
    if (
      !/^\/(api|job|queue|crumbIssuer|createItem|computer|label|view|pluginManager|pipeline-model-converter)(\/|$)/.test(
        path,
      )
    )
      return false;
    if (isForeign(request)) {
      sendFailure(response, 403, 'pages of other origins may not change anything here');
      return true;
    }
    const base = `http://${request.headers['x-forwarded-host'] ?? request.headers.host ?? 'localhost'}/jenkins`;
    answer({ pipelines, url, path, base, request, response }).catch((error: unknown) => {
      const status =
        error instanceof LabError && error.side === 'user' ? (error.code.startsWith('NO_') ? 404 : 400) : 500;
      if (response.headersSent) response.destroy();
      else sendFailure(response, status, messageOf(error), error instanceof LabError ? error.remedy : undefined);
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

async function answer(call: Call): Promise<void> {
  const { pipelines, path, base, response } = call;
  response.setHeader('x-jenkins', '2.528');
  if (path === '/api/json') return sendView(call, rootView(pipelines, base));
  if (path === '/crumbIssuer/api/json')
    return sendJson(response, 200, {
      _class: 'hudson.security.csrf.DefaultCrumbIssuer',
      crumb: 'kind-e2e',
      crumbRequestField: 'Jenkins-Crumb',
    });
  if (path.startsWith('/computer/')) return answerComputer(call, path.slice('/computer/'.length));
  const label = /^\/label\/([^/]+)\/api\/json$/.exec(path)?.[1];
  if (label !== undefined) return sendView(call, labelView(pipelines, decodeURIComponent(label)));
  if (/^\/view\/all\/api\/json$/i.test(path)) return sendView(call, allView(pipelines, base));
  if (path === '/pluginManager/api/json') return sendView(call, { _class: 'hudson.LocalPluginManager', plugins: [] });
  if (path === '/createItem') return createItem(call);
  if (path === '/pipeline-model-converter/validate') return validate(call);
  if (path === '/queue/api/json')
    return sendView(call, {
      _class: 'hudson.model.Queue',
      items: pipelines.queue.map((item) => itemView(item, base)),
    });
  const queued = /^\/queue\/item\/(\d+)\/api\/json$/.exec(path);
  if (queued) {
    const item = pipelines.item(Number(queued[1]));
    return item ? sendView(call, itemView(item, base)) : notFound(call);
  }
  if (path === '/queue/cancelItem' && isPost(call)) {
    response.writeHead(pipelines.cancel(Number(call.url.searchParams.get('id'))) ? 204 : 404).end();
    return;
  }
  const cancelled = /^\/queue\/item\/(\d+)\/cancelQueue$/.exec(path);
  if (cancelled && isPost(call)) {
    if (!pipelines.cancel(Number(cancelled[1]))) return notFound(call);
    response.writeHead(302, { location: `${base}/queue/` }).end();
    return;
  }
  const found =
    /^\/job\/([^/]+)(?:\/(\d+|lastBuild|lastCompletedBuild|lastSuccessfulBuild|lastStableBuild|lastUnstableBuild|lastUnsuccessfulBuild|lastFailedBuild))?(?:\/(.*))?$/.exec(
      path,
    );
  const name = decodeURIComponent(found?.[1] ?? '');
  const job = found ? pipelines.store.job(name) : undefined;
  if (!job) return notFound(call);
  const [, , which, rest = ''] = found ?? [];
  return which === undefined ? answerJob(call, job, rest) : answerBuild(call, job, which, rest);
}
