import { isatty } from 'node:tty';
import type { OnProgress } from '../base/progress.ts';
import type { CommonOptions } from './define-command.ts';
import { interruptible } from './interrupt.ts';
import { writeMessage } from './messages.ts';
import { ProgressDisplay } from './progress-display.ts';

/** What long operations of the library take. */
export interface LongWork {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Runs an operation that may take long: its progress is shown unless `--quiet`, and it ends cleanly when the process is told to stop. */
export async function longWork<T>(
  label: string,
  options: CommonOptions,
  work: (job: LongWork) => Promise<T>,
): Promise<T> {
  const display = new ProgressDisplay(label, {
    write: writeMessage,
    columns: isatty(2) ? process.stderr.columns || 80 : undefined,
    now: () => performance.now(),
  });
  try {
    return await interruptible((signal) =>
      work({ signal, onProgress: options.quiet ? () => {} : (progress) => display.update(progress) }),
    );
  } finally {
    display.end();
  }
}
