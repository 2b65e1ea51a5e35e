import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { shoalProgram } from '../support/run-shoal.ts';
import { isRunning, mountsBelow, run, type Scene, scene, until } from './scene.ts';

const nobody = 65_534;

interface NamespaceScene extends Scene {
  /** Runs a script as a user without privileges, in new namespaces, with a PATH that has no fusermount3. */
  unshare(flags: string, script: string): { status: number | null; stdout: string; stderr: string };
}

async function namespaceScene(ctx: TestContext): Promise<NamespaceScene> {
  const made = scene(ctx);
  const { root, source, image, volume, directory } = made;
  writeFileSync(join(source, 'hello'), 'hello, world\n');
  await made.pack();
  const bin = join(root, 'bin');
  mkdirSync(bin);
  for (const program of ['sh', 'cat', 'id', 'stat', 'ls', 'sleep', 'unshare']) {
    symlinkSync(run('sh', ['-c', `command -v ${program}`]).trim(), join(bin, program));
  }
  writeFileSync(join(bin, 'shoal'), `#!/bin/sh\nexec '${process.execPath}' '${shoalProgram}' "$@"\n`, { mode: 0o755 });
  const root0 = process.getuid?.() === 0;
  const user = root0 ? { uid: nobody, gid: nobody } : {};
  if (root0) for (const path of [image, volume, directory]) chownSync(path, nobody, nobody);
  for (const path of [image, volume]) chmodSync(path, 0o600);

  const unshare = (flags: string, script: string) => {
    const args = [...flags.split(' '), 'sh', '-c', script];
    const env = { PATH: bin, IMAGE: image, DIR: directory };
    return spawnSync(join(bin, 'unshare'), args, { env, ...user, encoding: 'utf8' });
  };
  const probe = unshare('-Urm', 'exit 0');
  if (probe.status !== 0) ctx.skip(`no user namespaces for users here: ${probe.stderr.trim()}`);
  return { ...made, unshare };
}

test.for(['-Urm', '-Um --map-current-user --keep-caps'])(
  'in unshare %s a user mounts without any helper, and unmounts',
  async (flags, ctx) => {
    const { root, unshare } = await namespaceScene(ctx);
    if (unshare(flags, 'exit 0').status !== 0) ctx.skip(`this unshare has no ${flags}`);
    const script =
      'shoal mount "$IMAGE" "$DIR" && cat "$DIR/hello" && shoal mount "$IMAGE" "$DIR" && shoal unmount "$DIR" && ls "$DIR"';
    expect(unshare(flags, script)).toMatchObject({
      status: 0,
      stdout: 'hello, world\n',
      stderr: expect.stringMatching(/^shoal: mount: .* serves this image already\n$/),
    });
    expect(mountsBelow(root)).toEqual([]);
  },
);

test('in a user namespace a mount with a lease goes away with the command, and its server, too', async (ctx) => {
  const { unshare } = await namespaceScene(ctx);
  const { status, stdout } = unshare('-Urm', 'shoal mount --json "$IMAGE" "$DIR" --lease $$ && cat "$DIR/hello"');
  expect(status).toBe(0);
  const [document, content] = stdout.split('\n');
  expect(content).toBe('hello, world');
  const { pid } = JSON.parse(document as string) as { pid: number };
  await until(() => !isRunning(pid));
});

test('in a user namespace what a killed server left is repaired', async (ctx) => {
  const { unshare } = await namespaceScene(ctx);
  const script =
    'shoal mount --json "$IMAGE" "$DIR" | { IFS=:,} read -r _ _ _ _ _ pid; kill -9 "$pid"; } && shoal mount "$IMAGE" "$DIR" && cat "$DIR/hello" && shoal unmount "$DIR"';
  expect(unshare('-Urm', script)).toMatchObject({ status: 0, stdout: 'hello, world\n', stderr: '' });
});

test('without a mount namespace of its own a user is told what to do', async (ctx) => {
  const { root, unshare } = await namespaceScene(ctx);
  const { status, stderr } = unshare('-Ur', 'shoal mount "$IMAGE" "$DIR"');
  expect(status).toBe(1);
  expect(stderr).toContain('install the package fuse3, run as root, or in a namespace of your own: unshare -Urm');
  expect(mountsBelow(root)).toEqual([]);
});
