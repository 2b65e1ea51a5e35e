import { isUtf8 } from 'node:buffer';
import type { Entry } from '../image/entry.ts';
import type { IndexReader } from '../image/index-reader.ts';

/** What bytes that are no UTF-8 become in JavaScript, so that a name with it may be any of many. */
const replacement = '\ufffd';

/** The names below one directory of an index, by the paths that fuse-native gives. */
export class JsTree {
  readonly #index: IndexReader;
  readonly #root: Entry;
  readonly #onHidden: (entry: number) => void;

  /** `root` is a directory; `onHidden` is told of entries whose names cannot pass through JavaScript. */
  constructor(index: IndexReader, root: Entry, onHidden: (entry: number) => void) {
    this.#index = index;
    this.#root = root;
    this.#onHidden = onHidden;
  }

  /** The entry at an absolute path within the mount (that which an alias names); undefined if there is none. */
  resolve(path: string): Entry | undefined {
    if (!isText(path)) return undefined;
    let entry = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const number = entry.kind === 'directory' ? this.#index.lookup(entry, Buffer.from(name)) : undefined;
      if (number === undefined) return undefined;
      entry = this.#index.resolve(number);
    }
    return entry;
  }

  /** `.`, `..`, and the names in a directory with what they name, in the order of the index. */
  *list(directory: Entry): Generator<{ readonly name: string; readonly entry: Entry }> {
    yield { name: '.', entry: directory };
    yield { name: '..', entry: directory.number === this.#root.number ? directory : this.#index.get(directory.parent) };
    for (const child of this.#index.children(directory)) {
      const name = toText(this.#index.name(child.number));
      if (name === undefined) this.#onHidden(child.number);
      else yield { name, entry: child.alias ? this.#index.resolve(child.number) : child };
    }
  }
}

/** Bytes as the text that fuse-native turns into the same bytes, and back; undefined if there is none. */
export function toText(bytes: Buffer): string | undefined {
  const text = bytes.toString();
  return isUtf8(bytes) && isText(text) ? text : undefined;
}

/** Whether it is what stood there. */
export function isText(text: string): boolean {
  return !text.includes(replacement);
}
