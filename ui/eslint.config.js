import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/host/bindings.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // Collections here are replaced as a whole ($state.raw) or not reactive at all.
      'svelte/prefer-svelte-reactivity': 'off',
      // A leading space in an element is only kept as an expression.
      'svelte/no-useless-mustaches': ['error', { ignoreIncludesComment: true, ignoreStringEscape: true }],
    },
  },
  {
    files: ['tests/**', 'src/host/fake/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // One folder knows what the interface runs in.
    files: ['src/**/*.ts', 'src/**/*.svelte'],
    ignores: ['src/host/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*', '**/host/bindings', '**/host/tauri'], message: 'Only src/host may know Tauri.' }] },
      ],
    },
  },
);
