import { expect, it } from 'vitest';
import { parseMarkdown } from './markdown.ts';

it('reads the common part of Markdown', () => {
  expect(parseMarkdown('# A\none\ntwo\n\n- x\n- y\n```\ncode\n```')).toEqual([
    { kind: 'heading', text: 'A' },
    { kind: 'paragraph', text: 'one two' },
    { kind: 'list', items: ['x', 'y'] },
    { kind: 'code', text: 'code' },
  ]);
});
