import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { errorCodes } from '../../src/base/errors.ts';
import { extractImage } from '../../src/image/extract.ts';
import { verifyImage } from '../../src/image/verify.ts';
import { compareTrees } from '../compare-trees.ts';
import { damagedFiles } from '../fixtures/damage.ts';
import { ImageEditor } from '../fixtures/image-editor.ts';
import { type BuiltImage, buildImage, type Node } from '../support/build-image.ts';
import { nativeProgram } from '../support/native-programs.ts';
import { removeTree } from '../support/remove-tree.ts';
import { problemCodes } from './shown-problems.ts';

/** All that is to be written lies in `target`; `canary` beside it, and all else around it, must stay as it is. */
let scratch: string;
let target: string;
let before: string;
let runs = 0;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'shoal-hostile-'));
  mkdirSync(join(scratch, 'around/canary'), { recursive: true });
  writeFileSync(join(scratch, 'around/canary/victim'), 'alive');
  before = join(scratch, 'before');
  execFileSync('cp', ['-a', join(scratch, 'around'), before]);
});
beforeEach(() => {
  target = join(scratch, 'around/target');
  removeTree(target);
  mkdirSync(target);
  execFileSync('touch', ['-d', '@1', join(before), join(scratch, 'around')]);
});
afterAll(() => removeTree(scratch));

async function expectUntouched(): Promise<void> {
  removeTree(target);
  const changed = await compareTrees(before, join(scratch, 'around'), { ignore: ['mtime', 'nlink'] });
  expect(changed).toEqual([]);
}

const file = (content: string): Node => ({ kind: 'file', content: Buffer.from(content) });
const link = (to: string): Node => ({ kind: 'link', target: Buffer.from(to) });
const directory = (children: Record<string, Node>): Node => ({ kind: 'directory', mode: 0o755, children });

function edited(root: Node, change: (editor: ImageEditor, numbers: BuiltImage['numbers']) => unknown): string {
  const { index, numbers } = buildImage(scratch, `image-${runs++}`, root);
  const editor = new ImageEditor(readFileSync(index));
  change(editor, numbers);
  writeFileSync(index, editor.seal().bytes);
  return index;
}

test('a link and a directory of the same name: nothing goes through the link', async () => {
  const trap = link('../canary');
  const room = directory({ victim: file('dead'), new: file('new') });
  for (const [first, second] of [
    ['x0', 'x1'],
    ['x1', 'x0'],
  ]) {
    const index = edited(directory({ [first]: trap, [second]: room }), (editor, numbers) => {
      editor.setName(numbers.get(trap) ?? 0, 'xx').setName(numbers.get(room) ?? 0, 'xx');
    });
    const { problems } = await extractImage(index, target);
    expect(problemCodes(problems)).toEqual(['xx: exists']);
    expect(readFileSync(join(target, 'xx/victim'), 'utf8')).toBe('dead');
    removeTree(join(target, 'xx'));
  }
  await expectUntouched();
});

test('a link and a file of the same name: the link is replaced, not written through', async () => {
  const trap = link('../canary/victim');
  const attack = file('dead');
  const index = edited(directory({ a: trap, b: attack }), (editor, numbers) => {
    editor.setName(numbers.get(attack) ?? 0, 'a');
  });
  await extractImage(index, target);
  expect(readdirSync(target)).toEqual(['a']);
  await expectUntouched();
});

test.each(['..', '.', 'a/b', '/', 'a\0b'])('the name %j is never made', async (name) => {
  const bad = file('dead');
  const room = directory({ inner: file('inside') });
  for (const node of [bad, room]) {
    const children = { ['n'.repeat(name.length)]: node, other: file('other') };
    const index = edited(directory(children), (editor, numbers) => editor.setName(numbers.get(node) ?? 0, name));
    const { problems } = await extractImage(index, target);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every(({ code }) => code === 'malformed')).toBe(true);
    expect(readdirSync(target)).toEqual(['other']);
  }
  await expectUntouched();
});

test('content that would lie outside of the volume is told, and the other files are extracted', async () => {
  const far = file('far away');
  const long = file('too long');
  const index = edited(directory({ far, long, other: file('other') }), (editor, numbers) => {
    editor.setPlace(numbers.get(far) ?? 0, 0xfffffff0);
    editor.setWord(numbers.get(long) ?? 0, 4, 0xffffffff);
  });
  const { problems } = await extractImage(index, target);
  expect(problemCodes(problems)).toEqual(['far: malformed', 'long: malformed']);
  expect(readdirSync(target)).toEqual(['other']);
  expect((await verifyImage(index)).problems.length).toBeGreaterThan(0);
  await expectUntouched();
});

test('hundreds of damaged and contradictory indexes: no crash, no hang, nothing outside (with sanitizers)', async (ctx) => {
  const program = nativeProgram('unpack_image');
  if ('missing' in program) ctx.skip(program.missing);
  const place = join(scratch, 'damaged');
  mkdirSync(place);
  const files = damagedFiles();
  for (const [name, bytes] of files) writeFileSync(join(place, name), bytes);
  symlinkSync('../canary', join(target, 'directory'));
  const indexes = [...files.keys()].filter((name) => name.endsWith('.shoal'));

  // A whole image in which single bytes of the index are something else, with checksums that fit.
  const whole = buildImage(
    place,
    'whole',
    directory({
      a: directory({ deep: directory({ f: file('f'.repeat(5000)) }), link: link('../../canary') }),
      b: { kind: 'sparse', size: 900_000, data: new Map([[70_000, Buffer.from('data')]]) },
      c: file('c'),
      d: link('../canary'),
    }),
  );
  const bytes = readFileSync(whole.index);
  const end = new ImageEditor(bytes).at('blocks');
  let state = 20_240_501;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const interesting = [...bytes.keys()].filter((at) => at >= 4096 && at < end && bytes[at] !== 0);
  for (let at = 0; at < 400; at++) {
    const editor = new ImageEditor(bytes);
    editor.bytes[interesting[random(interesting.length)] + random(2)] ^= 1 << random(8);
    const name = `flipped-${at}.shoal`;
    writeFileSync(join(place, name), editor.seal().bytes);
    indexes.push(name);
  }

  const commands = indexes.flatMap((name) => {
    const index = join(place, name);
    return [`verify ${index}`, `extract ${index} ${target}`, `compare ${index} ${target}`];
  });
  const output = execFileSync((program as { path: string }).path, {
    input: `${commands.join('\n')}\n`,
    encoding: 'utf8',
  });
  const answers = output.trim().split('\n');
  expect(answers.length).toBe(commands.length);
  for (const answer of answers)
    expect(/^\d+$/.test(answer) || (errorCodes as readonly string[]).includes(answer)).toBe(true);
  expect(existsSync(join(scratch, 'around/canary/victim'))).toBe(true);
  await expectUntouched();
});
