// Changes files of a tree at random until it is told to stop by the end of its input, then prints what it did, behind an empty line that it begins with: a JSON array of [path, content], in order;
// content is null for a file that it removed. A state stands there before the file has it. Arguments: tree, directory for files under way, seed.
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const [tree, aside, seed] = process.argv.slice(2);
let state = Number(seed) >>> 0;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

const paths = readdirSync(tree).flatMap((directory) =>
  readdirSync(join(tree, directory)).map((name) => `${directory}/${name}`),
);
const done = [];
let number = 0;

/** Notes the states, which the file had not if the change fails. */
function change(path, states, act) {
  const before = done.length;
  for (const content of states) done.push([path, content]);
  try {
    act(join(tree, path));
  } catch {
    done.length = before;
  }
}

const acts = [
  (path, content) =>
    change(path, [content], (at) => {
      writeFileSync(join(aside, 'new'), content);
      renameSync(join(aside, 'new'), at);
    }),
  (path, content) =>
    change(path, ['', content], (at) => {
      const fd = openSync(at, constants.O_WRONLY);
      ftruncateSync(fd, 0);
      writeSync(fd, content);
      closeSync(fd);
    }),
  (path) => change(path, [null], unlinkSync),
];

let stop = false;
process.stdin.resume().on('end', () => {
  stop = true;
});
const step = () => {
  const path = paths[random(paths.length)];
  const act = acts[random(10) === 0 ? 2 : random(2)];
  act(path, `${path} ${++number}`);
  if (stop) process.stdout.write(JSON.stringify(done));
  else setTimeout(step, random(40));
};
process.stdout.write('\n');
step();
