import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const pure = (name, why) => ({ selector: name, message: `The core is pure and synchronous: ${why}` });

export default defineConfig(
  globalIgnores([
    'dist/',
    'sdk/dist/',
    'node_modules/',
    '.cache/',
    '.data/',
    'coverage/',
    'static/public/',
    '**/*.gen.d.ts',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Nest modules and entities are classes that only carry decorators.
      '@typescript-eslint/no-extraneous-class': 'off',
      // Options that a library declares as a class are written as plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  {
    files: ['static/src/**'],
    ignores: ['static/src/api/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Only static/src/api asks the service.' },
        { name: 'EventSource', message: 'Only static/src/api asks the service.' },
        { name: 'XMLHttpRequest', message: 'Only static/src/api asks the service.' },
      ],
    },
  },
  {
    files: ['static/**/*.{ts,tsx}'],
    rules: {
      // The policy of the pages forbids it, and so nothing may try.
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text is text.' },
        { property: 'outerHTML', message: 'Text is text.' },
        { property: 'dangerouslySetInnerHTML', message: 'Text is text.' },
      ],
    },
  },
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'The core has no clock: time comes in with the context.' },
        { name: 'process', message: 'The core runs in browsers too.' },
      ],
      'no-restricted-syntax': [
        'error',
        pure('ThrowStatement', 'return a decision with an error code.'),
        pure(
          "MemberExpression[object.name='Math'][property.name='random']",
          'randomness is never an answer.',
        ),
        pure('AwaitExpression', 'an evaluation never waits.'),
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/platform/config/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings are read once, in src/platform/config.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['scripts/**', 'bench/**', 'sdk/*.mjs'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        module: 'writable',
        fetch: 'readonly',
        Buffer: 'readonly',
        AbortSignal: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
);
