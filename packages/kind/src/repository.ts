const HTTP = /^https?:\/\/(?:[\w.-]+@)?[\w.-]+(?::\d+)?\/[\w./~%+-]+$/;
const SSH = /^ssh:\/\/(?:[\w.-]+@)?[\w.-]+(?::\d+)?\/[\w./~%+-]+$/;
/** git-clone(1), "GIT URLS": the scp-like form. */
const SCP_LIKE = /^[\w.-]+@[\w.-]+:[\w./~%+-]+$/;

/**
 * Whether Jenkins can be given the URL: http(s) or ssh, no password in it (it would stand in the release's values for all to
 * read), and no characters that mean something to Groovy or to Helm's --set.
 */
export function isRepositoryUrl(url: string): boolean {
  return HTTP.test(url) || SSH.test(url) || SCP_LIKE.test(url);
}

/** What must be said of the pipeline of a lab, or undefined where nothing must. */
export function pipelineNote(lab: {
  readonly app: boolean;
  readonly repository: string | undefined;
  readonly appNamespace: string;
}): string | undefined {
  if (!lab.app) return 'Jenkins has no job: the app that its pipeline deploys is left out (--no-app).';
  if (lab.repository === undefined)
    return 'Jenkins has no job: name the repository that it builds, up --repository https://github.com/you/kind-e2e.git (the checkout has no remote "origin" with an http(s) or ssh URL without a password).';
  if (lab.appNamespace !== 'default')
    return `Jenkins builds ${lab.repository}; the app is in ${lab.appNamespace}: RELEASE_NAMESPACE in its jenkins/Jenkinsfile must be that.`;
  return undefined;
}
