import { Modal } from '@mantine/core';
import classes from './frame.module.css';
import { NAVIGATION } from './navigation.ts';

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['/', 'Search and commands (also Ctrl K)'],
  ['?', 'This list'],
  ['r', 'Refresh now'],
  [',', 'Earlier'],
  ['.', 'Later'],
  ['-', 'Zoom out in time'],
  ['n', 'The last 15 minutes'],
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['Enter', 'Open the row'],
  ['↑ ↓', 'In a trace: previous, next span'],
  ['← →', 'In a trace: fold, unfold'],
  ['Ctrl Enter', 'In an editor: run the query'],
  ['Esc', 'Close what is open'],
];

export function ShortcutHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keyboard" size="lg">
      <div className={classes.shortcuts}>
        {NAVIGATION.map((entry) => (
          <div key={entry.path}>
            {entry.label}
            <span>
              <kbd>g</kbd> <kbd>{entry.key}</kbd>
            </span>
          </div>
        ))}
        {SHORTCUTS.map(([key, what]) => (
          <div key={key}>
            {what}
            <kbd>{key}</kbd>
          </div>
        ))}
      </div>
    </Modal>
  );
}
