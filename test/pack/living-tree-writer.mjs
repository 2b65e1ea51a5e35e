// Changes files of a tree until its input ends: of each the content is a state that says which it is, the same number in every block, so that what
// was read of two states shows. Prints a line when it has begun. Arguments: tree, directory for files under way, seed.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { stateOf } from './living-tree-state.mjs';

const [tree, aside, seed] = process.argv.slice(2);
let random = Number(seed) >>> 0;
const below = (limit) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return Math.floor((random / 2 ** 32) * limit);
};
const paths = readdirSync(tree).flatMap((name) => readdirSync(join(tree, name)).map((inner) => `${name}/${inner}`));
const blocksOf = new Map(paths.map((path) => [path, Number(statSync(join(tree, path)).size) >> 9]));
let version = 0;

const acts = [
  // One write over what is there: as many bytes, and within one tick of the clock that stamps files.
  (path) => {
    const file = openSync(join(tree, path), 'r+');
    writeSync(file, stateOf(path, ++version, blocksOf.get(path)), 0);
    closeSync(file);
  },
  (path) => {
    writeFileSync(join(aside, 'new'), stateOf(path, ++version, blocksOf.get(path)));
    // What was removed stays so: a file that is there before and after was there all the time.
    if (existsSync(join(tree, path))) renameSync(join(aside, 'new'), join(tree, path));
  },
  // Another length: nothing, and then a state that one page holds.
  (path) => {
    blocksOf.set(path, below(8));
    const file = openSync(join(tree, path), 'r+');
    ftruncateSync(file, 0);
    writeSync(file, stateOf(path, ++version, blocksOf.get(path)), 0);
    closeSync(file);
  },
  (path) => rmSync(join(tree, path)),
  () => {
    mkdirSync(join(tree, `more-${++version}`));
    writeFileSync(join(tree, `more-${version}`, 'file'), stateOf(`more-${version}/file`, version, 1));
  },
];
const chances = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4];

let stop = false;
process.stdin.resume().on('end', () => {
  stop = true;
});
const step = () => {
  for (let i = 0; i < 3; i++) {
    try {
      acts[chances[below(chances.length)]](paths[below(paths.length)]);
    } catch (error) {
      // Removed before.
      if (error.code !== 'ENOENT') throw error;
    }
  }
  // In bursts, between which a tree can be packed that never rests for long.
  if (!stop) setTimeout(step, below(15) === 0 ? below(250) : below(4));
};
process.stdout.write('begun\n');
step();
