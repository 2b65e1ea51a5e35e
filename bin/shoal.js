#!/usr/bin/env node
// A package has the bundle, a clone has it once it is built.
try {
  await import('../dist/shoal.js');
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error(`shoal: not built yet; run: npm run build --prefix ${new URL('..', import.meta.url).pathname}`);
  process.exitCode = 1;
}
