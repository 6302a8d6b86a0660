/** No source of ours is over 400 lines without a reason in its head (`Long because …`); tests and data are free. */
import { globSync, readFileSync } from 'node:fs';

const MAX_LINES = 400;
const REASON = /long(er than most files here)? because/i;

const tooLong = globSync(
  [
    'packages/*/src/**/*.{ts,tsx}',
    'packages/*/preload/**/*.{js,cjs}',
    'apps/*/src/**/*.ts',
    'scripts/**/*.{ts,mjs}',
    'bench/**/*.ts',
    'e2e/**/*.ts',
  ],
  { exclude: (path) => /node_modules|\.generated\.|\/generated\/|\.test\.tsx?$|testdata/.test(String(path)) },
)
  .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n') }))
  .filter(
    ({ lines }) =>
      lines.length > MAX_LINES &&
      !REASON.test(
        lines
          .slice(0, 15)
          .join(' ')
          .replace(/[\s*]+/g, ' '),
      ),
  );

for (const { file, lines } of tooLong) console.error(`${file}: ${lines.length} lines`);
if (tooLong.length > 0) {
  console.error(
    `${tooLong.length} file(s) over ${MAX_LINES} lines: make them two things, or say in the head "Long because …"`,
  );
  process.exit(1);
}
