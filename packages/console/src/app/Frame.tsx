import { Menu } from '@mantine/core';
import { IconDots, IconKeyboard } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { AppLink } from '../ui/AppLink.tsx';
import { CommandPalette } from './CommandPalette.tsx';
import classes from './frame.module.css';
import { NAVIGATION, type NavEntry } from './navigation.ts';
import { ShortcutHelp } from './ShortcutHelp.tsx';
import { TopBar } from './TopBar.tsx';
import { useScrollMemory } from './useScrollMemory.ts';
import { useShortcuts } from './useShortcuts.ts';

const ON_BOTTOM_BAR = ['Home', 'Traces', 'Dashboards', 'Mesh'];

function NavItem({ entry, path }: { entry: NavEntry; path: string }) {
  const body = (
    <>
      <entry.icon size={21} stroke={1.6} aria-hidden />
      {entry.label}
    </>
  );
  if (entry.external)
    return (
      <a className={classes.item} href={entry.path} title={entry.description}>
        {body}
      </a>
    );
  return (
    <AppLink
      className={classes.item}
      to={entry.path}
      title={entry.description}
      aria-current={entry.match(path) ? 'page' : undefined}
    >
      {body}
    </AppLink>
  );
}

/** Navigation, top bar, palette and keyboard, around every page. */
export function Frame({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const [isSearching, setSearching] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useShortcuts({ openSearch: () => setSearching(true), openHelp: () => setHelpOpen(true) });

  useScrollMemory(path);
  useEffect(() => {
    const entry = NAVIGATION.find((item) => item.match(path));
    document.title = entry ? `${entry.label} · kind-e2e` : 'kind-e2e';
  }, [path]);

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <nav className={classes.nav} aria-label="Main">
        <AppLink to="/" className={classes.brand} aria-label="kind-e2e, home">
          <svg viewBox="0 0 32 32" aria-hidden>
            <rect width="32" height="32" rx="9" fill="#2f5bea" />
            <path d="M8 10h9M13 16h11M8 22h7" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
          </svg>
        </AppLink>
        {NAVIGATION.map((entry) => (
          <NavItem key={entry.path} entry={entry} path={path} />
        ))}
        <div className={classes.spacer} />
        <button
          type="button"
          className={classes.iconButton}
          onClick={() => setHelpOpen(true)}
          title="Keyboard shortcuts (?)"
        >
          <IconKeyboard size={20} stroke={1.6} aria-hidden />
          Keys
        </button>
      </nav>
      <div className={classes.column}>
        <TopBar onSearch={() => setSearching(true)} />
        <main id="main" className={classes.main} tabIndex={-1}>
          {children}
        </main>
      </div>
      <nav className={classes.bottom} aria-label="Main, small screen">
        {NAVIGATION.filter((entry) => ON_BOTTOM_BAR.includes(entry.label)).map((entry) => (
          <NavItem key={entry.path} entry={entry} path={path} />
        ))}
        <Menu position="top-end" width={220}>
          <Menu.Target>
            <button type="button" className={classes.iconButton}>
              <IconDots size={21} stroke={1.6} aria-hidden />
              More
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            {NAVIGATION.filter((entry) => !ON_BOTTOM_BAR.includes(entry.label)).map((entry) =>
              entry.external ? (
                <Menu.Item
                  key={entry.path}
                  component="a"
                  href={entry.path}
                  leftSection={<entry.icon size={18} stroke={1.6} />}
                >
                  {entry.label}
                </Menu.Item>
              ) : (
                <Menu.Item
                  key={entry.path}
                  component={AppLink}
                  to={entry.path}
                  leftSection={<entry.icon size={18} stroke={1.6} />}
                >
                  {entry.label}
                </Menu.Item>
              ),
            )}
          </Menu.Dropdown>
        </Menu>
      </nav>
      <CommandPalette isOpen={isSearching} onClose={() => setSearching(false)} onHelp={() => setHelpOpen(true)} />
      <ShortcutHelp isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}
