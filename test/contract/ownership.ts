import { lstatSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GiveServed } from './describe-contract.ts';
import { type Answer, type SystemCall, value } from './system-calls.ts';

const nobody = 65_534;
const path = (directory: string, name: string) => Buffer.from(`${directory}/${name}`);

export function ownershipTests(give: GiveServed): void {
  test('owners and permissions are shown as the mount options have them', async (ctx) => {
    const { serveWith } = give(ctx);
    const uid = process.getuid?.() === 0 ? 4711 : (process.getuid?.() as number);
    const directory = await serveWith({ uid, gid: 4712, fmask: 0o137, dmask: 0o027 });
    const shown = (name: string) => {
      const found = lstatSync(path(directory, name));
      return { uid: found.uid, gid: found.gid, mode: found.mode & 0o7777 };
    };
    expect(shown('')).toEqual({ uid, gid: 4712, mode: 0o750 });
    expect(shown('below')).toEqual({ uid, gid: 4712, mode: 0o750 });
    expect(shown('foreign')).toEqual({ uid, gid: 4712, mode: 0o640 });
    expect(shown('plain.txt')).toEqual({ uid, gid: 4712, mode: 0o4640 });
    expect(shown('links/relative')).toEqual({ uid, gid: 4712, mode: 0o640 });
  });

  test('others are let in with allow_other only, and then permissions and access control lists hold', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('needs root, to become somebody else');
    const { abilities, at, serveWith } = give(ctx);
    const as = (uid: number, ...call: SystemCall) => value<Answer>('as_user', uid, uid, call);
    expect(as(nobody, 'open', at('plain.txt'), 0)).toEqual({ error: 'EACCES' });
    const directory = await serveWith({ allowOther: true });
    const open = (uid: number, name: string) => as(uid, 'open', path(directory, name), 0);
    expect(open(nobody, 'below/file.txt')).toEqual({});
    expect(open(nobody, 'plain.txt')).toEqual({ error: 'EACCES' });
    expect(open(nobody, 'listed')).toEqual({ error: 'EACCES' });
    expect(open(4711, 'listed')).toEqual(abilities.accessControlLists ? {} : { error: 'EACCES' });
  });
}
