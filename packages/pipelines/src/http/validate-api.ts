import { parseJenkinsfile } from '../jenkinsfile/parse-jenkinsfile.ts';
import { JenkinsfileError } from '../jenkinsfile/problem.ts';
import { type Call, isPost, methodNotAllowed, readBytes, sendFailure, sendText } from './call.ts';

/**
 * `POST /pipeline-model-converter/validate`, the linter of Jenkins (pipeline-model-definition's
 * ModelConverterAction#doValidate): the file is the field `jenkinsfile` of a form; the answer is text, always 200.
 * `curl -F "jenkinsfile=<Jenkinsfile" …`
 */
export async function validate(call: Call): Promise<void> {
  if (!isPost(call)) return methodNotAllowed(call.response);
  const type = call.request.headers['content-type'] ?? '';
  let form: FormData;
  try {
    form = await new Response(Uint8Array.from(await readBytes(call)), { headers: { 'content-type': type } }).formData();
  } catch {
    return sendFailure(
      call.response,
      400,
      `a form is wanted, got ${type || 'no content type'}`,
      'send the field jenkinsfile',
    );
  }
  const field = form.get('jenkinsfile');
  if (field === null) return sendFailure(call.response, 400, 'the form has no field jenkinsfile', 'send it');
  const text = typeof field === 'string' ? field : await field.text();
  sendText(call.response, describe(text), 'text/plain');
}

function describe(text: string): string {
  try {
    parseJenkinsfile(text);
    return 'Jenkinsfile successfully validated.\n';
  } catch (error) {
    if (!(error instanceof JenkinsfileError)) throw error;
    const lines = error.problems.map(
      ({ line, column, message, remedy }) =>
        `WorkflowScript: ${line}: ${message}; ${remedy} @ line ${line}, column ${column}.`,
    );
    return `Errors encountered validating Jenkinsfile:\n${lines.join('\n')}\n`;
  }
}
