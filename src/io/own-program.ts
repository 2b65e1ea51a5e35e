import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * What Node is called with to run a program of Shoal's own: `bundled` lies beside this module where that is bundled, else `source`, relative to this folder, is
 * TypeScript, which Node runs with tsx.
 */
export function ownProgram(bundled: string, source: string): string[] {
  if (!import.meta.url.endsWith('.ts')) return [fileURLToPath(new URL(`./${bundled}`, import.meta.url))];
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx'));
  return ['--import', loader.href, fileURLToPath(new URL(source, import.meta.url))];
}
