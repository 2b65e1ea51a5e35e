import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Mounts, child processes and trees of a hundred thousand files; a hang ends here.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // The file is what .ci/run counts.
    reporters: ['default', ['json', { outputFile: 'build/test-results.json' }]],
  },
});
