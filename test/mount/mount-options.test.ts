import { describe, expect, test } from 'vitest';
import { parseMountOptions } from '../../src/mount/mount-options.ts';
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

  test('ignores what mount(8) and fstab put there', () => {
    expect(parseMountOptions('defaults,ro,nosuid,nodev,noatime,_netdev,nofail,user,x-systemd.automount')).toEqual({});
  });

  test.each(['rw', 'suid', 'dev', 'noexec'])('refuses %s, which would not hold', (option) => {
    expect(() => parseMountOptions(option)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => parseMountOptions(option)).toThrow('refused');
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
