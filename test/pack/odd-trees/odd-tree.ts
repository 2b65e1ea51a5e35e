/** Where a case is built: `tree` is what is packed unless it says otherwise, `out` is for what only is beside it. */
export interface OddPlace {
  readonly path: string;
  readonly tree: string;
}

/** A tree that hardly anybody has, or a source or output that is none, and how packing it ends. */
export interface OddTree {
  /** A sentence: “… ends well” or what is told. */
  readonly name: string;
  /** A script of bash that runs in the tree; `$PLACE` is the directory of the tree. */
  readonly make: string;
  /** Below the place. Default: `tree`. */
  readonly sources?: readonly string[];
  readonly options?: readonly string[];
  /** Below the place. Default: `x.shoal`. */
  readonly output?: string;
  /** The exit code. Default: 0. */
  readonly status?: 0 | 1 | 2 | 3 | 4;
  /** Each line on stderr fits one of these, and each of these fits one. Default: nothing is told. */
  readonly told?: readonly RegExp[];
  /** What the image lacks, below the tree. */
  readonly lacks?: readonly string[];
  /** What compareTrees leaves out. */
  readonly ignore?: readonly string[];
  /** Where GNU tar cannot extract it, or takes minutes, Shoal does; `verify`: what is compared is deeper than there are descriptors, so Shoal alone looks at it. */
  readonly by?: 'tar' | 'shoal' | 'verify';
  /** Run as the command that users have, in a process of its own; as `other`, by somebody whom permissions stop. */
  readonly run?: 'command' | 'other';
  /** A script that runs when the walk has seen so many entries, its last ones, and nothing was read yet. */
  readonly during?: readonly [entries: number, script: string];
  /** A script that runs while the command does, from before it begins. */
  readonly beside?: string;
  /** A script that takes away what hinders the removal of the place, also after a failure. */
  readonly clear?: string;
  /** A script whose success says that the outcome is right. */
  readonly holds?: string;
  /** Whether only root can build it. */
  readonly root?: true;
}

/** Python in a script: the lines, as they stand. */
export function python(...lines: string[]): string {
  return `python3 - <<'END'\nimport os, socket, struct, sys\n${lines.join('\n')}\nEND`;
}
