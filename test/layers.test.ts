import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkNative } from './layers/check-native.ts';
import { checkSource } from './layers/check-source.ts';
import { readFiles } from './layers/read-files.ts';

const root = join(import.meta.dirname, '..');

describe('the layers', () => {
  test('src imports downwards only, without cycles, and uses only the packages of its folder', () => {
    const files = readFiles(join(root, 'src'), /\.ts$/);
    expect(files.size).toBeGreaterThan(0);
    expect(checkSource(files)).toEqual([]);
  });

  test('native includes downwards only, and Node-API stays in the addon', () => {
    const files = readFiles(join(root, 'native'), /\.(cc|h)$/);
    expect(files.size).toBeGreaterThan(0);
    expect(checkNative(files)).toEqual([]);
  });

  test('the command imports nothing but the bundle', () => {
    const command = readFiles(join(root, 'bin'), /^shoal\.js$/).get('shoal.js') ?? '';
    expect(command.startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(command.match(/\bimport\b[^.].*/g)).toEqual(["import('../dist/shoal.js');"]);
  });
});

describe('the check of src', () => {
  const check = (files: Record<string, string>) => checkSource(new Map(Object.entries(files)));

  test('allows what the table allows', () => {
    const violations = check({
      'base/errors.ts': "import { inspect } from 'node:util';\n",
      'format/header.ts':
        "import {\n  type ShoalError,\n  x,\n} from '../base/errors.ts';\nexport * from './row.ts';\n",
      'format/row.ts': '',
      'image/tree.ts': "import { LRUCache } from 'lru-cache';\nimport { x } from '../format/header.ts';\n",
      'index.ts': "export { x } from './image/tree.ts';\n",
      'cli/main.ts': "import { Command } from 'commander';\nimport { x } from '../index.ts';\n",
    });
    expect(violations).toEqual([]);
  });

  test.each([
    [
      'an import upwards',
      "import { x } from '../image/a.ts';",
      'format/b.ts: imports ../image/a.ts, which is up: from level 1 to 2',
    ],
    [
      'a type upwards',
      "import type { X } from '../image/a.ts';",
      'format/b.ts: imports ../image/a.ts, which is up: from level 1 to 2',
    ],
    [
      'a re-export upwards',
      "export * from '../image/a.ts';",
      'format/b.ts: imports ../image/a.ts, which is up: from level 1 to 2',
    ],
    [
      'a lazy import upwards',
      "  const a = await import('../image/a.ts');",
      'format/b.ts: imports ../image/a.ts, which is up: from level 1 to 2',
    ],
    [
      'an import for its effects',
      "import '../image/a.ts';",
      'format/b.ts: imports ../image/a.ts, which is up: from level 1 to 2',
    ],
    [
      'an import sideways',
      "import {\n  x,\n} from '../io/c.ts';",
      'format/b.ts: imports ../io/c.ts, a folder of the same level 1',
    ],
    ['a missing file', "import { x } from './b.js';", 'format/b.ts: imports ./b.js, which does not exist'],
    [
      'a way out of src',
      "import { x } from '../../test/b.ts';",
      'format/b.ts: imports ../../test/b.ts, which lies outside of src',
    ],
    [
      'a package',
      "import { z } from 'zstd-napi';",
      'format/b.ts: imports zstd-napi, a package that src/format may not use',
    ],
    [
      'a scoped package',
      "import { z } from '@a/b/c';",
      'format/b.ts: imports @a/b/c, a package that src/format may not use',
    ],
    [
      'input and output',
      "import { open } from 'node:fs/promises';",
      'format/b.ts: imports node:fs/promises, but src/format has no input and output',
    ],
    ['a bare built-in', "import { join } from 'path';", 'format/b.ts: imports path, which is spelt node:path'],
  ])('catches %s', (_, statement, violation) => {
    expect(check({ 'image/a.ts': '', 'io/c.ts': '', 'format/b.ts': `${statement}\n` })).toEqual([violation]);
  });

  test('catches a folder that no level is given to', () => {
    expect(check({ 'utils/a.ts': '' })).toEqual(['utils/a.ts: its folder has no level']);
  });

  test('catches a cycle within a folder', () => {
    const violations = check({
      'format/a.ts': "import type { B } from './b.ts';\n",
      'format/b.ts': "import { c } from './c.ts';\n",
      'format/c.ts': "import { a } from './a.ts';\n",
    });
    expect(violations).toEqual(['cycle: format/a.ts → format/b.ts → format/c.ts → format/a.ts']);
  });
});

describe('the check of native', () => {
  const check = (files: Record<string, string>) => checkNative(new Map(Object.entries(files)));

  test('allows what the table allows', () => {
    const violations = check({
      'core/status.h': '#include <string>\n',
      'core/file.cc': '#include "status.h"\n',
      'fuse/session.cc': '#include "core/status.h"\n',
      'addon/addon.cc': '#include <napi.h>\n#include "core/status.h"\n',
    });
    expect(violations).toEqual([]);
  });

  test.each([
    [
      'core that knows FUSE',
      'core/b.cc',
      '#include "fuse/a.h"',
      'core/b.cc: includes "fuse/a.h", but core may not use fuse',
    ],
    [
      'folders beside each other',
      'pack/b.cc',
      '#  include "fuse/a.h"',
      'pack/b.cc: includes "fuse/a.h", but pack may not use fuse',
    ],
    [
      'Node-API outside of the addon',
      'fuse/b.cc',
      '#include <napi.h>',
      'fuse/b.cc: includes <napi.h>, which only addon may',
    ],
    [
      'the protocol outside of fuse',
      'core/b.cc',
      '#include <linux/fuse.h>',
      'core/b.cc: includes <linux/fuse.h>, which only fuse may',
    ],
    ['a missing header', 'core/b.cc', '#include "core/c.h"', 'core/b.cc: includes "core/c.h", which does not exist'],
    ['a new folder', 'zip/b.cc', '', 'zip/b.cc: its folder is not in the table'],
  ])('catches %s', (_, file, text, violation) => {
    expect(check({ 'fuse/a.h': '', [file]: `${text}\n` })).toEqual([violation]);
  });

  test('catches headers that include each other', () => {
    expect(check({ 'core/a.h': '#include "b.h"\n', 'core/b.h': '#include "core/a.h"\n' })).toEqual([
      'cycle: core/a.h → core/b.h → core/a.h',
    ]);
  });
});
