import type { ReactNode } from 'react';
import classes from '../dashboard.module.css';
import { type Block, parseMarkdown } from './markdown.ts';

/** Text panels: Markdown's common part. HTML is shown as text, since a dashboard may come from anywhere. */
export function TextPanel({ content, mode }: { content: string; mode: string }) {
  if (mode === 'code' || mode === 'html')
    return (
      <div className={classes.text} style={{ overflow: 'auto', height: '100%' }}>
        {mode === 'html' ? <p>{content.replace(/<[^>]*>/g, ' ').trim()}</p> : <pre className="mono">{content}</pre>}
      </div>
    );
  return (
    <div className={classes.text} style={{ overflow: 'auto', height: '100%' }}>
      {parseMarkdown(content).map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: blocks of one text
        <BlockView key={index} block={block} />
      ))}
    </div>
  );
}

function Inline({ text }: { text: string }) {
  const parts: ReactNode[] = [];
  const pattern = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|\*([^*]+)\*/g;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(at, match.index));
    const key = match.index;
    if (match[1]) parts.push(<b key={key}>{match[1]}</b>);
    else if (match[2]) parts.push(<code key={key}>{match[2]}</code>);
    else if (match[5]) parts.push(<em key={key}>{match[5]}</em>);
    else if (match[4] && /^(https?:|\/)/.test(match[4]))
      parts.push(
        <a key={key} href={match[4]}>
          {match[3]}
        </a>,
      );
    else parts.push(match[0]);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'heading':
      return (
        <h3>
          <Inline text={block.text} />
        </h3>
      );
    case 'list':
      return (
        <ul>
          {block.items.map((item) => (
            <li key={item}>
              <Inline text={item} />
            </li>
          ))}
        </ul>
      );
    case 'code':
      return <pre className="mono">{block.text}</pre>;
    case 'paragraph':
      return (
        <p style={{ margin: '4px 0' }}>
          <Inline text={block.text} />
        </p>
      );
  }
}
