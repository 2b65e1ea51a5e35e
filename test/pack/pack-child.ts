/** Packs in a process of its own, which tests stop, kill or run as another user. Arguments: output, sources. Prints the summary or the error as JSON. */
import { isShoalError } from '../../src/base/errors.ts';
import { packTree } from '../../src/pack/pack-tree.ts';

const [output = '', ...sources] = process.argv.slice(2);
packTree(sources, output, { jobs: 2 }).then(
  ({ id, entries }) => console.log(JSON.stringify({ id, entries })),
  (error: unknown) => {
    if (!isShoalError(error)) throw error;
    const { code, message, problems } = error;
    console.log(JSON.stringify({ code, message, problems }));
    process.exitCode = 1;
  },
);
