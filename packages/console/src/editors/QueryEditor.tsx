import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap, lineNumbers, placeholder as placeholderOf } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import classes from './editor.module.css';

const highlight = HighlightStyle.define([
  {
    tag: [tags.function(tags.variableName), tags.keyword, tags.operatorKeyword, tags.modifier],
    color: 'var(--code-keyword)',
  },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool], color: 'var(--code-number)' },
  { tag: [tags.labelName, tags.propertyName, tags.attributeName], color: 'var(--code-label)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--ink-3)' },
  { tag: [tags.operator, tags.arithmeticOperator, tags.punctuation], color: 'var(--ink-2)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

export interface LineMark {
  line: number;
  severity: 'error' | 'warning';
  message: string;
}

interface Props {
  value: string;
  /** Stays the same object between renders: a new one makes a new editor. */
  language: Extension;
  onChange: (text: string) => void;
  onRun: (text: string) => void;
  label: string;
  placeholder?: string;
  /** Enter is a new line; the whole is an editor of a document, with the numbers of its lines. */
  multiline?: boolean;
  /** Messages that stand on lines (from 1) of the document. */
  marks?: readonly LineMark[];
  minHeight?: number;
  readOnly?: boolean;
}

const NO_MARKS: readonly LineMark[] = [];

/** CodeMirror for queries: Enter or Ctrl Enter runs, Shift Enter is a new line, Tab completes or leaves. */
export function QueryEditor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { language, label, placeholder, multiline = false, minHeight, readOnly = false } = props;

  useEffect(() => {
    if (host.current === null) return undefined;
    const run = (editor: EditorView): boolean => {
      latest.current.onRun(editor.state.doc.toString());
      return true;
    };
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          language,
          syntaxHighlighting(highlight),
          EditorView.lineWrapping,
          multiline ? [lineNumbers(), lintGutter()] : [],
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocorrect: 'off' }),
          placeholder ? placeholderOf(placeholder) : [],
          Prec.high(keymap.of([{ key: 'Mod-Enter', run }])),
          keymap.of([
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...historyKeymap,
            ...lintKeymap,
            ...(multiline ? [] : [{ key: 'Enter', run }]),
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, [language, label, placeholder, multiline, readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== props.value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value } });
  }, [props.value]);

  const { marks = NO_MARKS } = props;
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || (marks.length === 0 && !multiline)) return;
    const { doc } = editor.state;
    const diagnostics = marks.map(({ line, severity, message }): Diagnostic => {
      const { from, to, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
      return { from: from + (text.length - text.trimStart().length), to, severity, message };
    });
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [marks, multiline]);

  return (
    <div
      ref={host}
      className={classes.editor}
      style={minHeight === undefined ? undefined : { ['--min-height' as string]: `${minHeight}px` }}
    />
  );
}
