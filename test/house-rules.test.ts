import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes } from '../src/base/errors.ts';
import { loadAddon } from '../src/native/load.ts';
import { readFiles } from './layers/read-files.ts';

const root = join(import.meta.dirname, '..');
const sources = ['src', 'native', 'bin', 'benchmarks'].flatMap((directory) =>
  [...readFiles(join(root, directory), /\.(ts|mjs|js|cc|h)$/)].map(([path, text]) => ({
    path: `${directory}/${path}`,
    text,
  })),
);

test('no file is longer than 500 lines', () => {
  const long = sources.filter(({ text }) => text.split('\n').length > 501);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test('no file or folder is named after nothing in particular', () => {
  const vague = sources.filter(({ path }) => /(^|[/_-])(utils?|commons?|helpers?|misc|v2)([._/-]|$)/.test(path));
  expect(vague.map(({ path }) => path)).toEqual([]);
});

test('every module is imported by its names', () => {
  const typescript = sources.filter(({ path }) => /^(src|benchmarks)\/.*\.ts$/.test(path));
  expect(typescript.filter(({ text }) => /^export default\b/m.test(text)).map(({ path }) => path)).toEqual([]);
});

test('nothing is left for later', () => {
  const marks = /\b(TODO|FIXME|XXX|HACK)\b/;
  expect(sources.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
});

test('the two languages have the same error codes, in the same order', () => {
  expect(loadAddon().codes).toEqual(errorCodes);
});

test('what a page of the documentation links to is there', () => {
  const inRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
  const inDocs = [...readFiles(join(root, 'docs'), /\.md$/).keys()].map((page) => `docs/${page}`);
  const broken = [...inRoot, ...inDocs].flatMap((page) => {
    const links = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)];
    const targets = links.map((link) => join(page, '..', link[1] as string));
    return targets.filter((target) => !existsSync(join(root, target))).map((target) => `${page} → ${target}`);
  });
  expect(broken).toEqual([]);
});
