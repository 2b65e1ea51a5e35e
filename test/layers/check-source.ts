import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { findCycles } from './find-cycles.ts';
import { levels, packages, pureFolders, pureModules } from './rules.ts';

/**
 * What the imports of `files` (text by path below src/) break of the rules, one line each. Imports of types count: they, too, tie
 * a layer to another. Statements are expected as the formatter leaves them, beginning in the first column.
 */
export function checkSource(files: ReadonlyMap<string, string>): string[] {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    if (levels[folderOf(file)] === undefined) violations.push(`${file}: its folder has no level`);
    const targets: string[] = [];
    for (const name of importsOf(text)) {
      const target = name.startsWith('.') ? posix.join(posix.dirname(file), name) : undefined;
      const reason = target === undefined ? externalViolation(file, name) : internalViolation(file, target, files);
      if (reason !== undefined) violations.push(`${file}: imports ${name}, ${reason}`);
      else if (target !== undefined) targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...violations, ...findCycles(graph)];
}

function importsOf(text: string): string[] {
  const statements = [
    /^(?:import|export)\b[^'"`;]*\bfrom\s*['"]([^'"]+)['"]/gm,
    /^import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require)\(\s*['"]([^'"]+)['"]/g,
  ];
  return statements.flatMap((statement) => [...text.matchAll(statement)].map((match) => match[1] as string));
}

function internalViolation(file: string, target: string, files: ReadonlyMap<string, string>): string | undefined {
  if (target.startsWith('..')) return 'which lies outside of src';
  if (!files.has(target)) return 'which does not exist';
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return undefined;
  const [fromLevel, toLevel] = [levels[from] ?? Number.NaN, levels[to] ?? Number.NaN];
  if (fromLevel === toLevel) return `a folder of the same level ${fromLevel}`;
  return fromLevel > toLevel ? undefined : `which is up: from level ${fromLevel} to ${toLevel}`;
}

function externalViolation(file: string, name: string): string | undefined {
  const folder = folderOf(file);
  if (isBuiltin(name)) {
    if (!name.startsWith('node:')) return `which is spelt node:${name}`;
    if (pureFolders.includes(folder) && !pureModules.includes(name)) return `but src/${folder} has no input and output`;
    return undefined;
  }
  const packageName = name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  return packages[folder]?.includes(packageName) ? undefined : `a package that src/${folder} may not use`;
}

/** The first part of the path; a file directly in src/ is its own folder. */
function folderOf(file: string): string {
  return file.split('/', 1)[0] as string;
}
