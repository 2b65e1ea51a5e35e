import type { Contender } from '../contender.ts';

/** The directory itself: what every mount is measured against. */
export const plainDirectory: Contender = {
  name: 'plain directory',
  kind: 'none',
  unavailable: () => undefined,
  mount: ({ source }) => ({ root: source, unmount: () => undefined }),
};

/** Node without a program: the least that a command written for it takes to start. */
export const bareNode: Contender = {
  name: 'node -e 0',
  kind: 'none',
  unavailable: () => undefined,
  start: () => [process.execPath, '-e', '0'],
};
