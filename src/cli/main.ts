import { rawArguments } from './raw-arguments.ts';
import { run } from './run.ts';

await run(rawArguments());
