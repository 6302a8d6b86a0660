export type * from './jenkinsfile/ast.ts';
export { parseJenkinsfile } from './jenkinsfile/parse-jenkinsfile.ts';
export { formatProblem, JenkinsfileError, type Position, type Problem } from './jenkinsfile/problem.ts';
