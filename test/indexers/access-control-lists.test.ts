import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { openIndex } from '../../src/image/open-image.ts';
import { indexArchive } from '../../src/indexers/index-archive.ts';
import { hasProgram, run, scratchDirectory } from './indexed-tar.ts';
import { end, file, pax } from './tar-blocks.ts';

const scratch = scratchDirectory();
const tree = join(scratch, 'tree');
let missing: string | undefined;

beforeAll(() => {
  mkdirSync(join(tree, 'd'), { recursive: true });
  writeFileSync(join(tree, 'f'), 'content');
  try {
    run('setfacl', ['-m', 'u:4711:r--,g:4712:rwx,g::---,m::rw-', 'f'], tree);
    run('setfacl', ['-d', '-m', 'u:0:rwx,o::---', 'd'], tree);
  } catch {
    missing = 'setfacl is not installed, or this filesystem stores no access control lists';
  }
});

/** The attributes of each entry as the index has them, and as the source does. */
async function expectLists(ctx: TestContext, program: string, ...options: string[]): Promise<void> {
  if (missing !== undefined) ctx.skip(missing);
  if (!hasProgram(program)) ctx.skip(`${program} is not installed`);
  const archive = join(scratch, `${program}-${options.length}.tar`);
  run(program, ['--format=pax', ...options, '-cf', archive, 'd', 'f'], tree);
  const index = openIndex((await indexArchive(archive)).image);
  for (const [name, list] of [
    ['f', 'system.posix_acl_access'],
    ['d', 'system.posix_acl_default'],
  ] as const) {
    const read = 'import os, sys; sys.stdout.write(os.getxattr(sys.argv[1], sys.argv[2]).hex())';
    const expected = execFileSync('python3', ['-c', read, join(tree, name), list], { encoding: 'utf8' });
    const entry = index.resolvePath(Buffer.from(name));
    const found = entry === undefined ? [] : index.xattrs(entry);
    expect(found.map((xattr) => [xattr.name.toString(), xattr.value.toString('hex')])).toEqual([[list, expected]]);
  }
  index.close();
}

test('of GNU tar are those of the source', async (ctx) => {
  await expectLists(ctx, 'tar', '--acls');
  await expectLists(ctx, 'tar', '--acls', '--numeric-owner');
});

test('of bsdtar are those of the source', (ctx) => expectLists(ctx, 'bsdtar'));

async function listOf(text: string): Promise<string[]> {
  const archive = join(scratch, 'text.tar');
  writeFileSync(archive, Buffer.concat([pax({ 'SCHILY.acl.access': text }), file('f', 'x'), end]));
  const index = openIndex((await indexArchive(archive, { force: true })).image);
  const entry = index.resolvePath(Buffer.from('f'));
  const found = entry === undefined ? [] : index.xattrs(entry).map(({ value }) => value.toString('hex'));
  index.close();
  return found;
}

test('are understood in any order, without those that nobody here is, and not where they say no more than a mode', async () => {
  const entry = (tag: number, permissions: number, id: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(permissions, 2);
    bytes.writeUInt32LE(id, 4);
    return bytes.toString('hex');
  };
  const none = 0xffffffff;
  const expected = [entry(1, 6, none), entry(2, 4, 7), entry(4, 0, none), entry(16, 4, none), entry(32, 0, none)];
  const text = 'mask::r--\nother::---,u::rw-,user:who-is-this:rwx\nuser:somebody:r--:7,group::---';
  expect(await listOf(text)).toEqual([`02000000${expected.join('')}`]);
  expect(await listOf('user::rw-,group::r--,other::r--')).toEqual([]);
  await expect(listOf('user::rw-,group::r--,everyone::r--')).rejects.toMatchObject({ code: 'malformed' });
});
