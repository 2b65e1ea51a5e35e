import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { nativeProgram } from '../support/native-programs.ts';

// Flags of INIT (include/uapi/linux/fuse.h).
const asyncRead = 1 << 0;
const posixLocks = 1 << 1;
const exportSupport = 1 << 4;
const autoInvalidate = 1 << 12;
const readdirplus = 1 << 13;
const readdirplusAuto = 1 << 14;
const writeback = 1 << 16;
const noOpen = 1 << 17;
const parallelDirops = 1 << 18;
const posixAcl = 1 << 20;
const maxPages = 1 << 22;
const cacheSymlinks = 1 << 23;
const noOpendir = 1 << 24;
const initExt = 1 << 30;

describe('the reply to INIT', () => {
  let program: ReturnType<typeof nativeProgram>;
  beforeAll(() => {
    program = nativeProgram('negotiate_check');
  }, 600_000); // It may have to build.

  function ask(ctx: TestContext, major: number, minor: number, flags: number, size = 64, acls = false) {
    if ('missing' in program) return ctx.skip(program.missing);
    const given = [major, minor, flags >>> 0, size, ...(acls ? ['acls'] : [])].map(String);
    const words = execFileSync(program.path, given, { encoding: 'utf8' }).trim().split(' ');
    const [outcome, replyMajor, replyMinor, replyFlags, pages, , granularity, open, opendir] = words;
    return {
      outcome,
      version: `${replyMajor}.${replyMinor}`,
      flags: Number(replyFlags),
      pages: Number(pages),
      granularity: Number(granularity),
      open: open === '1',
      opendir: opendir === '1',
    };
  }

  test('takes of a new kernel all that lets it keep and combine, and nothing that writes', (ctx) => {
    const offered = 0x7fff_ffff;
    const reply = ask(ctx, 7, 45, offered);
    expect(reply).toMatchObject({
      outcome: 'agreed',
      version: '7.45',
      pages: 256,
      granularity: 1,
      open: true,
      opendir: true,
    });
    for (const flag of [
      asyncRead,
      exportSupport,
      readdirplus,
      noOpen,
      parallelDirops,
      maxPages,
      cacheSymlinks,
      noOpendir,
    ]) {
      expect(reply.flags & flag).toBe(flag);
    }
    for (const flag of [posixLocks, autoInvalidate, readdirplusAuto, writeback, posixAcl, initExt]) {
      expect(reply.flags & flag).toBe(0);
    }
  });

  test('asks for access control lists where entries have some and the kernel knows them', (ctx) => {
    expect((ask(ctx, 7, 27, posixAcl, 16, true)?.flags ?? 0) & posixAcl).toBe(posixAcl);
    expect((ask(ctx, 7, 25, asyncRead, 16, true)?.flags ?? 0) & posixAcl).toBe(0);
  });

  test('takes nothing that an old kernel does not offer: Linux 4.18 speaks 7.27 and has no symlink cache', (ctx) => {
    const offered = asyncRead | readdirplus | readdirplusAuto | noOpen | parallelDirops;
    expect(ask(ctx, 7, 27, offered, 16)).toMatchObject({
      outcome: 'agreed',
      version: '7.27',
      flags: asyncRead | readdirplus | noOpen | parallelDirops,
      pages: 0,
      open: true,
      opendir: false,
    });
    expect(ask(ctx, 7, 23, 0, 16)).toMatchObject({ outcome: 'agreed', flags: 0, open: false, opendir: false });
  });

  test('speaks its own minor version to a later kernel', (ctx) => {
    expect(ask(ctx, 7, 99, asyncRead)).toMatchObject({ outcome: 'agreed', version: '7.45' });
  });

  test('asks a later major version for its own, and refuses what is too old or too short', (ctx) => {
    expect(ask(ctx, 8, 0, 0)).toMatchObject({ outcome: 'retry', version: '7.45' });
    expect(ask(ctx, 7, 22, asyncRead)).toMatchObject({ outcome: 'too-old' });
    expect(ask(ctx, 6, 45, asyncRead)).toMatchObject({ outcome: 'too-old' });
    expect(ask(ctx, 7, 45, asyncRead, 15)).toMatchObject({ outcome: 'too-old' });
  });
});
