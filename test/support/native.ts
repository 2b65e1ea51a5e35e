import { existsSync } from 'node:fs';
import type { TestContext } from 'vitest';
import type { Addon } from '../../src/native/addon.ts';
import { loadAddon } from '../../src/native/load.ts';

/** The addon; skips the test where it is not built. */
export function nativeAddon(ctx: TestContext): Addon {
  const built = process.env['SHOAL_ADDON'] ?? new URL('../../build/release/shoal.node', import.meta.url);
  if (!existsSync(built)) return ctx.skip('the addon is not built: npm run build');
  return loadAddon();
}
