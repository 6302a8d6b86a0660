// What the stand-ins of docker, kind, helm and kubectl share: a small world in the folder STAND_IN_WORLD, one file a
// thing (they run side by side), a record of every command line, and faults that tests ask for.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const folder = process.env.STAND_IN_WORLD;
export const args = process.argv.slice(2);
const program = process.argv[1].split('/').at(-1);
export const line = [program, ...args].join(' ');
export const machine = JSON.parse(readFileSync(join(folder, 'machine.json'), 'utf8'));

const file = (kind, name) => join(folder, kind, encodeURIComponent(name));
export const has = (kind, name) => existsSync(file(kind, name));
export const get = (kind, name) => JSON.parse(readFileSync(file(kind, name), 'utf8'));
export const put = (kind, name, value = {}) => {
  mkdirSync(join(folder, kind), { recursive: true });
  // Whole or not at all: tests kill programs at any time.
  const aside = join(folder, `aside-${process.pid}`);
  writeFileSync(aside, JSON.stringify(value));
  renameSync(aside, file(kind, name));
};
export const remove = (kind, name) => rmSync(file(kind, name), { force: true });
export const names = (kind) =>
  existsSync(join(folder, kind)) ? readdirSync(join(folder, kind)).map(decodeURIComponent).sort() : [];

export const say = (text) => process.stdout.write(`${text}\n`);
export const fail = (text, code = 1) => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};
/** The value after a flag. */
export const flag = (name) => {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
};
export const flags = (name) => args.filter((_, index) => args[index - 1] === name);
export const input = () => readFileSync(0, 'utf8');

appendFileSync(join(folder, 'commands.jsonl'), `${JSON.stringify(line)}\n`);
const fault = existsSync(join(folder, 'fault.json'))
  ? JSON.parse(readFileSync(join(folder, 'fault.json'), 'utf8'))
  : {};
if (fault.fail && new RegExp(fault.fail).test(line)) fail(`Error: ${fault.says ?? 'told to fail'}`, fault.code ?? 1);

/** To be called in the midst of the work: where a test interrupts. Waits to be killed. */
export const midst = async () => {
  if (!fault.hang || !new RegExp(fault.hang).test(line)) return;
  writeFileSync(join(folder, 'hangs'), line);
  setInterval(() => {}, 1_000);
  await new Promise(() => {});
};
