import { LabError } from '@kind-e2e/base';
import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import type { JobDefinition } from '../build/build-store.ts';

const SCRIPT = 'org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition';
const SCM = 'org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition';
const parser = new XMLParser({
  ignoreAttributes: false,
  parseTagValue: false,
  trimValues: false,
  attributeNamePrefix: '@',
});
const builder = new XMLBuilder({ ignoreAttributes: false, format: true, attributeNamePrefix: '@' });

interface FlowXml {
  readonly description?: string;
  readonly disabled?: string;
  readonly definition?: {
    readonly '@class'?: string;
    readonly script?: string;
    readonly scriptPath?: string;
    readonly scm?: {
      readonly '@class'?: string;
      readonly userRemoteConfigs?: { readonly 'hudson.plugins.git.UserRemoteConfig'?: { readonly url?: string } };
      readonly branches?: { readonly 'hudson.plugins.git.BranchSpec'?: { readonly name?: string } };
    };
  };
}

/** A pipeline job as Jenkins keeps it: `config.xml` with a flow-definition. */
export function jobToXml(job: JobDefinition): string {
  const { scm } = job;
  const definition = scm
    ? {
        '@class': SCM,
        scm: {
          '@class': 'hudson.plugins.git.GitSCM',
          userRemoteConfigs: { 'hudson.plugins.git.UserRemoteConfig': { url: scm.url } },
          branches: { 'hudson.plugins.git.BranchSpec': { name: scm.branch } },
        },
        scriptPath: scm.scriptPath ?? 'Jenkinsfile',
        lightweight: 'true',
      }
    : { '@class': SCRIPT, script: job.script ?? '', sandbox: 'true' };
  const flow = { description: job.description ?? '', definition, disabled: String(job.disabled ?? false) };
  return `<?xml version="1.1" encoding="UTF-8"?>\n${builder.build({ 'flow-definition': flow })}`;
}

/** Reads `config.xml`. Other kinds of jobs than pipelines are refused. */
export function jobFromXml(name: string, xml: string): JobDefinition {
  // The parser knows XML 1.0 only; Jenkins writes 1.1.
  const parsed = parser.parse(xml.replace(/^\s*<\?xml[^>]*\?>/, '')) as Record<string, FlowXml | string>;
  const [root = ''] = Object.keys(parsed).filter((key) => !key.startsWith('#') && !key.startsWith('?'));
  const flow = parsed[root];
  if (root !== 'flow-definition' || typeof flow !== 'object')
    throw refused(
      root === '' ? 'the job is no XML' : `jobs of the kind ${root} are not run here`,
      'send a <flow-definition>: a pipeline',
    );
  const { definition } = flow;
  const shared = {
    name,
    ...(flow.description ? { description: flow.description } : {}),
    ...(flow.disabled === 'true' ? { disabled: true } : {}),
  };
  switch (definition?.['@class']) {
    case SCRIPT:
      return { ...shared, script: definition.script ?? '' };
    case SCM: {
      const { scm } = definition;
      const url = scm?.userRemoteConfigs?.['hudson.plugins.git.UserRemoteConfig']?.url;
      if (scm?.['@class'] !== 'hudson.plugins.git.GitSCM' || !url)
        throw refused(
          `the repository of ${name} must be one git repository`,
          'give class="hudson.plugins.git.GitSCM" and its url',
        );
      const branch = scm.branches?.['hudson.plugins.git.BranchSpec']?.name ?? '*/master';
      return {
        ...shared,
        scm: {
          url: url.trim(),
          branch: branch.trim().replace(/^(?:\*|origin|refs\/heads)\//, ''),
          ...(definition.scriptPath ? { scriptPath: definition.scriptPath.trim() } : {}),
        },
      };
    }
    default:
      throw refused(
        `the definition ${definition?.['@class'] ?? 'of nothing'} is not known here`,
        `give class="${SCRIPT}" or class="${SCM}"`,
      );
  }
}

function refused(message: string, remedy: string): LabError {
  return new LabError(message, { code: 'JOB_XML', side: 'user', remedy });
}
