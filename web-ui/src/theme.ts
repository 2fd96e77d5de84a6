// SPDX-License-Identifier: Apache-2.0
import { Badge, createTheme, type CSSVariablesResolver, Paper, Table, Tooltip } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'tide',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  headings: { fontFamily: "'Inter Variable', system-ui, sans-serif", fontWeight: '650' },
  colors: {
    tide: [
      '#e6f7fa',
      '#d0edf2',
      '#a3dbe5',
      '#71c8d7',
      '#45b5c9',
      '#22a0b6',
      '#148aa0',
      '#0b7285',
      '#075e6e',
      '#044956',
    ],
    // A cooler dark scale than the stock one; 7 is the page, 6 a surface, 4 a border.
    dark: [
      '#d5dbe3',
      '#b3bcc9',
      '#8b96a6',
      '#5f6b7c',
      '#2c3542',
      '#222a35',
      '#171d26',
      '#0f141b',
      '#0b0f15',
      '#07090d',
    ],
  },
  components: {
    // Whole words also where a table gets narrow: it scrolls instead.
    Badge: Badge.extend({ styles: { root: { overflow: 'visible' }, label: { overflow: 'visible' } } }),
    Paper: Paper.extend({ defaultProps: { radius: 'md' } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 8, horizontalSpacing: 'md' } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, openDelay: 150, events: { hover: true, focus: true, touch: true } },
    }),
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b6673',
    '--weir-page': '#f6f8fa',
    '--weir-surface': '#ffffff',
    '--weir-subtle': '#f8fafb',
    '--weir-line': '#0b7285',
  },
  dark: {
    '--mantine-color-dimmed': '#93a0b1',
    '--weir-page': '#0b0f15',
    '--weir-surface': '#131922',
    '--weir-subtle': '#171e28',
    '--weir-line': '#3bc9db',
  },
});
