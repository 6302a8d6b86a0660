import { LabError } from '@kind-e2e/base';
import type { JobDefinition } from '../build/build-store.ts';
import {
  type Call,
  isPost,
  methodNotAllowed,
  notFound,
  readBody,
  readForm,
  sendFailure,
  sendJson,
  sendText,
  sendView,
} from './call.ts';
import { jobFromXml, jobToXml } from './config-xml.ts';
import { jobView, runView } from './views.ts';

/** What is below `/job/NAME`. */
export async function answerJob(call: Call, job: JobDefinition, rest: string): Promise<void> {
  const { pipelines, base, response } = call;
  switch (rest) {
    case '':
      response.writeHead(302, { location: base }).end();
      return;
    case 'api/json':
      return sendView(call, jobView(pipelines, job, base));
    case 'wfapi/runs':
      return sendJson(
        response,
        200,
        pipelines.builds(job.name).map((record) => runView(record, base)),
      );
    case 'config.xml':
      return isPost(call) ? define(call, job.name) : sendText(response, jobToXml(job), 'application/xml');
    case 'disable':
    case 'enable':
      if (!isPost(call)) return methodNotAllowed(response);
      pipelines.setDisabled(job.name, rest === 'disable');
      response.writeHead(302, { location: `${base}/job/${encodeURIComponent(job.name)}/` }).end();
      return;
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
      if (job.disabled) return sendFailure(response, 409, `${job.name} is not buildable`, 'enable it first');
      const { token: _token, delay: _delay, cause: _cause, ...given } = await readForm(call);
      for (const name of Object.keys(given))
        if (declared.length > 0 && !declared.some((one) => one.name === name))
          return sendFailure(
            response,
            400,
            `the job ${job.name} has no parameter ${name}: ${declared.map((one) => one.name).join(', ')}`,
          );
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

/** `POST /createItem?name=`: a job as Jenkins' XML, as JSON, or as a copy of another. */
export async function createItem(call: Call): Promise<void> {
  const { pipelines, response, base, url } = call;
  const name = url.searchParams.get('name') ?? '';
  if (!isPost(call)) return methodNotAllowed(response);
  if (pipelines.store.job(name))
    return sendFailure(response, 400, `A job already exists with the name ‘${name}’`, 'choose another name');
  if (url.searchParams.get('mode') !== 'copy') return define(call, name);
  const from = url.searchParams.get('from') ?? '';
  const job = pipelines.store.job(from);
  if (!job) return sendFailure(response, 400, `No such job: ${from}`);
  pipelines.define({ ...job, name });
  response.writeHead(302, { location: `${base}/job/${encodeURIComponent(name)}/` }).end();
}

async function define(call: Call, name: string): Promise<void> {
  const { pipelines, request, response, base } = call;
  const type = request.headers['content-type'] ?? '';
  const body = await readBody(call);
  if (type.includes('xml')) pipelines.define(jobFromXml(name, body));
  else if (type.includes('json')) pipelines.define({ ...readJob(body), name });
  else
    return sendFailure(
      response,
      415,
      'a job is given as application/xml or application/json',
      'send {"script": "pipeline { … }"} or {"scm": {"url", "branch", "scriptPath"}}, or Jenkins\' config.xml',
    );
  response.writeHead(200, { location: `${base}/job/${encodeURIComponent(name)}/` }).end();
}

function readJob(body: string): Omit<JobDefinition, 'name'> {
  try {
    return JSON.parse(body) as Omit<JobDefinition, 'name'>;
  } catch (error) {
    throw new LabError(`the job is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'JOB_JSON',
      side: 'user',
      remedy: 'send {"script": "pipeline { … }"} or {"scm": {"url", "branch", "scriptPath"}}',
      cause: error,
    });
  }
}
