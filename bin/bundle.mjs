// Bundles the command, the library and the programs that these run into one file each, so that starting one opens a handful of files and not hundreds.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

await build({
  absWorkingDir: dirname(dirname(fileURLToPath(import.meta.url))),
  entryPoints: {
    shoal: 'src/cli/main.ts',
    index: 'src/index.ts',
    'mount-server': 'src/mount/server-main.ts',
    'zip-to-tar': 'src/indexers/zip/zip-to-tar-main.ts',
  },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'inline',
  // Bundled CommonJS packages ask for node's modules with require().
  banner: {
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  logLevel: 'warning',
});
