import { describe, expect, test } from 'vitest';
import { findNotifyPipe, parseMountOptions } from '../../src/mount/mount-options.ts';
import { parseMountinfo } from '../../src/mount/mountinfo.ts';

describe('-o', () => {
  test('takes uid, gid, umask (octal), allow_other and the engine', () => {
    expect(parseMountOptions('uid=1000,gid=100,umask=022,allow_other')).toEqual({
      uid: 1000,
      gid: 100,
      umask: 0o22,
      allowOther: true,
    });
    expect(parseMountOptions('engine=js')).toEqual({ engine: 'js' });
    expect(parseMountOptions('uid=1,uid=2')).toEqual({ uid: 2 });
    expect(parseMountOptions('')).toEqual({});
  });

  test('ignores what mount(8), mount.fuse3, fstab and systemd put there', () => {
    const options =
      'defaults,ro,rw,suid,nosuid,dev,nodev,noatime,relatime,_netdev,nofail,noauto,user,users,user=me,' +
      'x-systemd.automount,X-mount.mkdir,comment=anything,default_permissions';
    expect(parseMountOptions(options)).toEqual({});
  });

  test('honours noexec, unless exec comes behind it', () => {
    expect(parseMountOptions('noexec')).toEqual({ noExec: true });
    expect(parseMountOptions('exec,noexec')).toEqual({ noExec: true });
    expect(parseMountOptions('noexec,exec')).toEqual({});
  });

  test('takes fmask, dmask, timeout and notify_pipe, whose path may have commas behind backslashes', () => {
    expect(parseMountOptions('fmask=0133,dmask=022,timeout=1.5,notify_pipe=/a\\,b\\\\c')).toEqual({
      fmask: 0o133,
      dmask: 0o22,
      timeout: 1.5,
      notifyPipe: Buffer.from('/a,b\\c'),
    });
  });

  test('tells the notify_pipe of a list that is mistaken otherwise', () => {
    expect(findNotifyPipe('nonsense,notify_pipe=/a\\,b,uid=x')).toEqual(Buffer.from('/a,b'));
    expect(findNotifyPipe('notify_pipe=')).toBeUndefined();
    expect(findNotifyPipe('uid=1')).toBeUndefined();
  });

  test('names all that it takes where it refuses one', () => {
    expect(() => parseMountOptions('remount')).toThrow(/expected mount options engine, uid, gid, .*; found "remount"/);
  });

  test.each([
    'uid',
    'uid=',
    'uid=-1',
    'uid=root',
    'gid=4294967295',
    'umask=8',
    'umask=0x1',
    'umask=77777',
    'fmask',
    'subdir=',
    'metrics=',
    'cache_size=much',
    'readdirplus=maybe',
    'storage=tape',
    'threads=0',
    'timeout=-1',
    'constructor',
    'allow_other=1',
    'nonsense',
    'engine',
    'engine=wasm',
  ])('refuses %s as a usage mistake', (option) => {
    expect(() => parseMountOptions(option)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

test('mountinfo is read with its escapes, its optional fields and any bytes', () => {
  const text =
    '36 35 98:0 / /mnt/a\\040b\\134c\\012d rw,noatime shared:1 master:2 - fuse.shoal /im\\011age.shoal rw,user_id=0\n' +
    '37 36 0:52 / /\xff rw - tmpfs  rw\n';
  expect(parseMountinfo(Buffer.from(text, 'latin1'))).toEqual([
    {
      device: '98:0',
      directory: Buffer.from('/mnt/a b\\c\nd'),
      type: 'fuse.shoal',
      source: Buffer.from('/im\tage.shoal'),
      uid: 0,
    },
    { device: '0:52', directory: Buffer.from([0x2f, 0xff]), type: 'tmpfs', source: Buffer.from(''), uid: undefined },
  ]);
});
