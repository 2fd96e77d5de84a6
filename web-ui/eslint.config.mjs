// SPDX-License-Identifier: Apache-2.0
import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Imports point one way: ui → components → features → routes; `api` and `util` know no view. */
function forbid(...folders) {
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^#/(?:${folders.join('|')})/`,
            message: 'Imports point ui → components → features → routes.',
          },
        ],
      },
    ],
  };
}

const features = ['access', 'projects', 'load-balancers', 'metrics', 'rollout'];

export default tseslint.config(
  { ignores: ['dist', 'src/api/generated', 'test-results', 'playwright-report'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  jsxA11y.flatConfigs.strict,
  reactHooks.configs.flat.recommended,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.config.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/only-throw-error': 'off', // The router redirects by throwing.
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'ExportAllDeclaration', message: 'No barrel files.' },
      ],
    },
  },
  { files: ['*.config.{ts,mjs}'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['src/{api,util}/**'], rules: forbid('ui', 'components', 'features', 'routes') },
  { files: ['src/ui/**'], rules: forbid('api', 'components', 'features', 'routes') },
  { files: ['src/components/**'], rules: forbid('features', 'routes') },
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: forbid(
      'routes',
      ...features.filter((other) => other !== feature).map((other) => `features/${other}`),
    ),
  })),
);
