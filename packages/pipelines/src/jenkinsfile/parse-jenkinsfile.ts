import type { Pipeline } from './ast.ts';
import { parseStatements } from './parser.ts';
import { prescan, significant } from './prescan.ts';
import { JenkinsfileError, ProblemList } from './problem.ts';
import { readPipeline } from './read-pipeline.ts';
import { Reader } from './reader.ts';
import { jenkinsfileLexer } from './tokens.ts';

/**
 * Reads a declarative Jenkinsfile (jenkins.io/doc/book/pipeline/syntax). Throws a JenkinsfileError with every problem:
 * what is not supported is refused, never left out.
 */
export function parseJenkinsfile(text: string, file = 'Jenkinsfile'): Pipeline {
  const problems = new ProblemList();
  const lexed = jenkinsfileLexer.tokenize(text);
  for (const error of lexed.errors) {
    const char = text[error.offset] ?? '';
    const isString = char === "'" || char === '"';
    problems.add(
      { line: error.line ?? 1, column: error.column ?? 1 },
      isString ? 'the string is never closed' : `the character ${JSON.stringify(char)} cannot stand here`,
      isString
        ? `add ${text.startsWith(char.repeat(3), error.offset) ? char.repeat(3) : char} at its end`
        : 'take it out',
    );
    break;
  }
  problems.throwIfAny(file);
  prescan(lexed.tokens, problems);
  problems.throwIfAny(file);
  const statements = parseStatements(significant(lexed.tokens), problems);
  problems.throwIfAny(file);
  const pipeline = readPipeline(statements, new Reader(problems));
  problems.throwIfAny(file);
  if (pipeline) return pipeline;
  throw new JenkinsfileError(
    [{ line: 1, column: 1, message: 'there is no pipeline', remedy: 'write pipeline { … }' }],
    file,
  );
}
