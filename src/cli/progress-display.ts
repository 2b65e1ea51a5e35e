import type { Progress } from '../base/progress.ts';
import { type ProgressSample, progressBar, progressText } from './progress-line.ts';

/** Where progress is shown. */
export interface ProgressTarget {
  write(text: string): void;
  /** Columns of the terminal; undefined if it is none. */
  readonly columns: number | undefined;
  /** Milliseconds on a clock that only goes forward. */
  now(): number;
}

/** Work that ends sooner shows nothing. */
const barDelay = 300;
/** Milliseconds between plain lines: often enough to see life in a job's log, seldom enough to read it. */
const lineInterval = 5000;
/** Milliseconds that rates are taken over: longer than a stall, shorter than a change of the work's kind. */
const rateWindow = 5000;

/** Shows how far long work is: a bar that is drawn over on a terminal, else a line every few seconds. */
export class ProgressDisplay {
  readonly #label: string;
  readonly #target: ProgressTarget;
  readonly #begun: number;
  #samples: ProgressSample[];
  #lastLine: number;
  #barShown = false;

  /** `label` says what is done: `packing`. */
  constructor(label: string, target: ProgressTarget) {
    this.#label = label;
    this.#target = target;
    this.#begun = target.now();
    this.#lastLine = this.#begun;
    this.#samples = [{ at: this.#begun, bytesDone: 0, entriesDone: 0 }];
  }

  update(progress: Progress): void {
    const now = { ...progress, at: this.#target.now() };
    this.#remember(now);
    const since = this.#samples[0] ?? now;
    const { columns } = this.#target;
    if (columns !== undefined) {
      if (now.at - this.#begun < barDelay) return;
      this.#target.write(`\r${progressBar(this.#label, now, since, columns)}\x1b[K`);
      this.#barShown = true;
    } else if (now.at - this.#lastLine >= lineInterval) {
      this.#target.write(`${this.#label}: ${progressText(now, since)}\n`);
      this.#lastLine = now.at;
    }
  }

  /** Takes the bar away, so that what comes next stands on a clean line. */
  end(): void {
    if (this.#barShown) this.#target.write('\r\x1b[K');
    this.#barShown = false;
  }

  /** Keeps the moments of the window. Work that starts to count anew, its next step, starts a window of its own. */
  #remember(now: ProgressSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (now.bytesDone < last.bytesDone || now.entriesDone < last.entriesDone))
      this.#samples = [];
    this.#samples.push(now);
    while (this.#samples.length > 2 && now.at - (this.#samples[0]?.at ?? 0) > rateWindow) this.#samples.shift();
  }
}
