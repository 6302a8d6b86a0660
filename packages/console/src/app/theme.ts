import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const indigo: MantineColorsTuple = [
  '#eef2ff',
  '#dde5ff',
  '#bac9ff',
  '#94aaff',
  '#7590fb',
  '#5676f3',
  '#2f5bea',
  '#244bcb',
  '#1f40ab',
  '#19348b',
];

/** Mantine's dark scale, from text to page, in the greys of `global.css`. */
const dark: MantineColorsTuple = [
  '#e9ecf1',
  '#b8c0cc',
  '#929cab',
  '#6b7686',
  '#39424f',
  '#2a313c',
  '#1c222a',
  '#161a21',
  '#12161c',
  '#0c0f14',
];

const DIALOG = {
  closeButtonProps: { 'aria-label': 'Close' },
  attributes: { header: { role: 'presentation' } },
  styles: {
    content: { background: 'var(--surface)' },
    header: { background: 'var(--surface)' },
    title: { fontWeight: 650, fontSize: 16, lineHeight: 1.3, overflowWrap: 'anywhere' },
  },
} as const;

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: 6,
  colors: { indigo, dark },
  fontFamily: "'Inter Variable', Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Open Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '5px', md: '7px', lg: '10px', xl: '16px' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '19px' },
  headings: {
    fontWeight: '640',
    sizes: { h1: { fontSize: '22px' }, h2: { fontSize: '17px' }, h3: { fontSize: '14px' } },
  },
  cursorType: 'pointer',
  components: {
    // The window's own head is not the page's banner, and its title looks the same everywhere.
    Modal: { defaultProps: DIALOG },
    Drawer: { defaultProps: DIALOG },
  },
});

/** Mantine's surfaces take the colours of `global.css`, where both schemes are written side by side. */
export const cssVariablesResolver: CSSVariablesResolver = () => {
  const surfaces = {
    '--mantine-color-body': 'var(--bg)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-3)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--surface-2)',
    '--mantine-color-default-border': 'var(--line)',
    '--mantine-color-placeholder': 'var(--ink-3)',
    '--mantine-color-anchor': 'var(--accent)',
  };
  return { variables: {}, light: surfaces, dark: surfaces };
};
