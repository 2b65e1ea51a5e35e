import type { Node } from './build-image.ts';

/** What a union of images shows under a path. */
export interface Shown {
  /** 0: the image named last. */
  readonly layer: number;
  readonly node: Node;
  readonly merged: boolean;
}

type Part = readonly [layer: number, node: Node];

/**
 * The paths (bytes as latin1) of the union of the trees, of which later ones win, and what each shows. Directories are merged as overlayfs does:
 * an entry that is no directory hides all below it, and a directory all entries below it but directories.
 */
export function overlay(roots: readonly Node[]): Map<string, Shown> {
  const shown = new Map<string, Shown>();
  visit(
    '',
    [...roots].reverse().map((root, layer): Part => [layer, root]),
    shown,
  );
  return shown;
}

function visit(path: string, parts: readonly Part[], shown: Map<string, Shown>): void {
  const [layer, node] = parts[0] as Part;
  shown.set(path, { layer, node, merged: parts.length > 1 });
  const names = new Set(parts.flatMap(([, part]) => [...childrenOf(part).keys()]));
  for (const name of names) {
    const found: Part[] = [];
    for (const [number, part] of parts) {
      const child = childrenOf(part).get(name);
      if (child === undefined) continue;
      if (found.length > 0 && child.kind !== 'directory') break;
      found.push([number, child]);
      if (child.kind !== 'directory') break;
    }
    visit(path === '' ? name : `${path}/${name}`, found, shown);
  }
}

/** By the bytes of their names, as latin1. */
export function childrenOf(node: Node): Map<string, Node> {
  if (node.kind !== 'directory') return new Map();
  const { children } = node;
  return children instanceof Map
    ? new Map([...children].map(([name, child]) => [name.toString('latin1'), child]))
    : new Map(Object.entries(children).map(([name, child]) => [Buffer.from(name).toString('latin1'), child]));
}

/** The part of a union that lies in the directory at `path`, as a tree of its own. */
export function below(shown: ReadonlyMap<string, Shown>, path: string): Map<string, Shown> {
  if (path === '') return new Map(shown);
  const own = [...shown].filter(([name]) => name === path || name.startsWith(`${path}/`));
  return new Map(own.map(([name, entry]) => [name.slice(path.length + 1), entry]));
}
