import { posix } from 'node:path';
import { LabError } from '@kind-e2e/base';
import { type Copy, DockerfileParser, type Instruction, JSONInstruction, PropertyInstruction } from 'dockerfile-ast';

/** What the last stage of a Dockerfile says of the image, for a build without Docker. */
export interface FinalStage {
  /** The image that it is built on, where its FROM names no earlier stage. */
  readonly base: string | undefined;
  /** Copies from the build stage: `from` relative to that stage's working directory, i.e. to the app's folder. */
  readonly copies: readonly { readonly from: string; readonly to: string }[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly workingDir: string;
  readonly exposedPorts: readonly string[];
  readonly stopSignal: string | undefined;
  /** Where an earlier stage puts what `npm sbom` prints, relative to the app's folder. */
  readonly sbom: { readonly args: readonly string[]; readonly file: string } | undefined;
}

/** Instructions of the last stage that change nothing of an image built here: the base is the node's own Node. */
const WITHOUT_EFFECT = new Set(['FROM', 'ARG', 'HEALTHCHECK']);

/**
 * Reads the last stage. The embedded engine has no use for its base image: the kubelet runs the program with its own
 * Node 24. What would need a shell or the files of the context (RUN, ADD, COPY from the context) is refused with the line it stands on.
 */
export function parseDockerfile(text: string, file: string): FinalStage {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const stages = stagesOf(instructions);
  const last = stages.at(-1);
  if (last === undefined) throw refused(file, 1, 'there is no FROM', 'begin the file with FROM');
  const from = last.instructions[0]?.getExpandedArguments().find((word) => !word.getValue().startsWith('--'));
  const stage = {
    base: stages.slice(0, -1).some(({ name }) => name === from?.getValue()) ? undefined : from?.getValue(),
    copies: [] as { from: string; to: string }[],
    entrypoint: [] as readonly string[],
    cmd: [] as readonly string[],
    env: {} as Record<string, string>,
    labels: {} as Record<string, string>,
    user: undefined as string | undefined,
    workingDir: '/',
    exposedPorts: [] as string[],
    stopSignal: undefined as string | undefined,
    sbom: stages
      .slice(0, -1)
      .map(sbomOf)
      .find((found) => found !== undefined),
  };
  for (const instruction of last.instructions) {
    const keyword = instruction.getKeyword();
    const words = instruction.getExpandedArguments().map((argument) => argument.getValue());
    const line = instruction.getRange().start.line + 1;
    switch (keyword) {
      case 'COPY':
        stage.copies.push(...copies(instruction as Copy, stages, stage.workingDir, file, line));
        break;
      case 'ENTRYPOINT':
        stage.entrypoint = execForm(instruction, file, line);
        break;
      case 'CMD':
        stage.cmd = execForm(instruction, file, line);
        break;
      case 'ENV':
        Object.assign(stage.env, properties(instruction));
        break;
      case 'LABEL':
        Object.assign(stage.labels, properties(instruction));
        break;
      case 'USER':
        stage.user = words[0];
        break;
      case 'WORKDIR':
        stage.workingDir = posix.resolve(stage.workingDir, words[0] ?? '.');
        break;
      case 'EXPOSE':
        stage.exposedPorts.push(...words);
        break;
      case 'STOPSIGNAL':
        stage.stopSignal = words[0];
        break;
      default:
        if (!WITHOUT_EFFECT.has(keyword))
          throw refused(
            file,
            line,
            `${keyword} in the last stage cannot be done without Docker`,
            'move it to the build stage, or build with docker build',
          );
    }
  }
  if (stage.entrypoint.length === 0 && stage.cmd.length === 0)
    throw refused(file, last.line, 'the last stage has neither ENTRYPOINT nor CMD', 'say what the container runs');
  return stage;
}

interface Stage {
  readonly name: string;
  readonly line: number;
  readonly workingDir: string;
  readonly instructions: readonly Instruction[];
}

function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const starts = instructions.flatMap((instruction, index) => (instruction.getKeyword() === 'FROM' ? [index] : []));
  return starts.map((start, number) => {
    const own = instructions.slice(start, starts[number + 1]);
    const words = own[0]?.getArguments().map((argument) => argument.getValue()) ?? [];
    const as = words.findIndex((word) => word.toLowerCase() === 'as');
    let workingDir = '/';
    for (const instruction of own)
      if (instruction.getKeyword() === 'WORKDIR')
        workingDir = posix.resolve(workingDir, instruction.getArguments()[0]?.getValue() ?? '.');
    return {
      name: as === -1 ? String(number) : (words[as + 1] ?? String(number)),
      line: (own[0]?.getRange().start.line ?? 0) + 1,
      workingDir,
      instructions: own,
    };
  });
}

/** `RUN … && npm sbom --omit=dev --sbom-format=cyclonedx > dist/app/sbom.cdx.json` */
function sbomOf(stage: Stage): FinalStage['sbom'] {
  for (const instruction of stage.instructions) {
    const found = /\bnpm sbom\b([\w=\s-]*)>\s*(\S+)/.exec(instruction.getArgumentsContent() ?? '');
    if (instruction.getKeyword() !== 'RUN' || !found) continue;
    const [, args = '', target = ''] = found;
    const file = posix.relative(stage.workingDir, posix.resolve(stage.workingDir, target));
    if (!file.startsWith('..')) return { args: args.split(/\s+/).filter((word) => word !== ''), file };
  }
  return undefined;
}

function copies(
  instruction: Copy,
  stages: readonly Stage[],
  workingDir: string,
  file: string,
  line: number,
): { from: string; to: string }[] {
  const fromName = instruction
    .getFlags()
    .find((flag) => flag.getName() === 'from')
    ?.getValue();
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const target = words.at(-1);
  const stage = stages.find((candidate) => candidate.name === fromName);
  if (fromName === undefined || stage === undefined)
    throw refused(
      file,
      line,
      'COPY in the last stage must be --from a stage of this file',
      'copy into the build stage first',
    );
  if (target === undefined || words.length < 2)
    throw refused(file, line, 'COPY needs a source and a target', 'add them');
  return words.slice(0, -1).map((source) => {
    const relative = posix.relative(stage.workingDir, posix.resolve(stage.workingDir, source));
    if (relative.startsWith('..'))
      throw refused(
        file,
        line,
        `${source} is outside of the build stage's working directory ${stage.workingDir}`,
        'copy only what the app itself builds',
      );
    return { from: relative, to: posix.resolve(workingDir, target) };
  });
}

function execForm(instruction: Instruction, file: string, line: number): readonly string[] {
  const strings = instruction instanceof JSONInstruction ? instruction.getJSONStrings() : [];
  if (strings.length === 0)
    throw refused(
      file,
      line,
      `${instruction.getKeyword()} must be in the JSON form, such as ["node", "main.js"]`,
      'write it so: there is no shell in between',
    );
  return strings.map((argument) => argument.getJSONValue());
}

function properties(instruction: Instruction): Record<string, string> {
  if (!(instruction instanceof PropertyInstruction)) return {};
  return Object.fromEntries(
    instruction.getProperties().map((property) => [property.getName(), property.getValue() ?? '']),
  );
}

function refused(file: string, line: number, what: string, remedy: string): LabError {
  return new LabError(`${file}:${line}: ${what}`, { code: 'DOCKERFILE_REFUSED', side: 'user', remedy });
}
