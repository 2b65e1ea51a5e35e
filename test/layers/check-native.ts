import { posix } from 'node:path';
import { findCycles } from './find-cycles.ts';
import { nativeFolders, ownedHeaders } from './rules.ts';

/** What the includes of `files` (text by path below native/) break of the rules, one line each. */
export function checkNative(files: ReadonlyMap<string, string>): string[] {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const folder = posix.dirname(file);
    const mayInclude = nativeFolders[folder];
    if (mayInclude === undefined) violations.push(`${file}: its folder is not in the table`);
    const targets: string[] = [];
    for (const [, bracket, name] of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/gm)) {
      const header = name as string;
      if (bracket === '<') {
        const owner = ownedHeaders.find((owned) => owned.header.test(header))?.owner;
        if (owner !== undefined && owner !== folder)
          violations.push(`${file}: includes <${header}>, which only ${owner} may`);
        continue;
      }
      const target = [posix.join(folder, header), header].find((path) => files.has(path));
      if (target === undefined) violations.push(`${file}: includes "${header}", which does not exist`);
      else if (posix.dirname(target) !== folder && !mayInclude?.includes(posix.dirname(target))) {
        violations.push(`${file}: includes "${header}", but ${folder} may not use ${posix.dirname(target)}`);
      } else targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...violations, ...findCycles(graph)];
}
