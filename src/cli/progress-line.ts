import type { Progress } from '../base/progress.ts';
import { formatSize } from '../base/sizes.ts';

/** An entry takes about as long as so many bytes. */
const entryWork = 65_536;

/** A moment of long work. */
export interface ProgressSample extends Progress {
  /** Milliseconds on any clock that only goes forward. */
  readonly at: number;
}

/** `52 % · 1.2G of 2.3G · 120000 of 230000 entries · 310M/s · 0:04 left`; what is not known is left out. `since` is an earlier moment that rates are taken from. */
export function progressText(now: ProgressSample, since: ProgressSample): string {
  const seconds = (now.at - since.at) / 1000;
  const bytesRate = rate(now.bytesDone - since.bytesDone, seconds);
  const entriesRate = rate(now.entriesDone - since.entriesDone, seconds);
  const done = doneShare(now);
  const parts = [
    done === undefined ? '' : `${Math.floor(done * 100)} %`,
    amount(formatSize(now.bytesDone), now.bytesTotal, formatSize),
    `${amount(String(now.entriesDone), now.entriesTotal, String)} entries`,
    bytesRate > 0 ? `${formatSize(bytesRate)}/s` : entriesRate > 0 ? `${Math.round(entriesRate)} entries/s` : '',
    timeLeft(now, bytesRate, entriesRate),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

/** `text` behind a bar of at most 30 columns, cut to the width of the terminal. */
export function progressBar(label: string, now: ProgressSample, since: ProgressSample, columns: number): string {
  const text = progressText(now, since);
  const room = Math.min(30, columns - label.length - text.length - 6);
  const share = doneShare(now);
  const bar = share === undefined || room < 5 ? '' : `[${'#'.repeat(Math.floor(share * room)).padEnd(room, '.')}] `;
  // The last column stays free: some terminals wrap when it is written.
  return `${label} ${bar}${text}`.slice(0, columns - 1);
}

/** Between 0 and 1; undefined while no total is known. Bytes and entries are both work. */
function doneShare({ bytesDone, bytesTotal, entriesDone, entriesTotal }: Progress): number | undefined {
  const total = (bytesTotal ?? 0) + entryWork * (entriesTotal ?? 0);
  if (total === 0) return undefined;
  const done = (bytesTotal === undefined ? 0 : bytesDone) + entryWork * (entriesTotal === undefined ? 0 : entriesDone);
  return Math.min(1, done / total);
}

function amount(done: string, total: number | undefined, format: (value: number) => string): string {
  return total === undefined ? done : `${done} of ${format(total)}`;
}

function rate(done: number, seconds: number): number {
  return seconds > 0 ? done / seconds : 0;
}

function timeLeft(now: Progress, bytesRate: number, entriesRate: number): string {
  const left = [
    remaining(now.bytesDone, now.bytesTotal, bytesRate),
    remaining(now.entriesDone, now.entriesTotal, entriesRate),
  ];
  const known = left.filter((value) => value !== undefined);
  return known.length === 0 ? '' : `${clockTime(Math.max(...known))} left`;
}

function remaining(done: number, total: number | undefined, perSecond: number): number | undefined {
  return total === undefined || perSecond === 0 ? undefined : Math.max(0, total - done) / perSecond;
}

/** `0:04`, `12:30`, `3:05:00`. */
function clockTime(seconds: number): string {
  const whole = Math.ceil(seconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
