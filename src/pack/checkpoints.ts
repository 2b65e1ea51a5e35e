import { realpath, unlink } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { syncDirectoryOf, syncFile } from '../io/atomic-file.ts';
import { systemCode } from '../io/system-error.ts';
import { loadAddon } from '../native/load.ts';
import type { NativeCheckpoints, WalkResult } from '../native/packing.ts';
import type { NativeProblem } from '../native/problem.ts';
import { runJob } from '../native/run-job.ts';
import { lstatOf } from './check-request.ts';
import type { WorkDirectory } from './work-directory.ts';

/** Long enough to cost nothing, short against what a run is stopped for. In seconds. */
export const defaultInterval = 10;

/** What a walk has told, which a run that goes on tells again. */
type WalkReport = Pick<WalkResult, 'excluded' | 'skipped' | 'notices' | 'unreadable'>;

/**
 * What the walk of a run had found that was stopped; undefined where there is none, or half of one. `request` is what this run was asked for. Throws
 * `usage` where the other one was asked for something else.
 */
export async function loadPlannedRun(work: WorkDirectory, request: string): Promise<WalkResult | undefined> {
  const loaded = await runJob(() => loadAddon().loadPlan(work.plan)).catch((error: unknown) => {
    if (isShoalError(error, 'missing', 'malformed')) return undefined;
    throw error;
  });
  if (loaded === undefined) {
    await work.clear();
    return undefined;
  }
  const saved = JSON.parse(loaded.request.toString()) as { request: string; report: WalkReport };
  if (saved.request !== request) {
    throw new ShoalError(
      'usage',
      'expected the sources and options of the run that was stopped, and the same version of shoal, found others; give the same, or start over without --resume',
    );
  }
  const { request: _, ...catalogue } = loaded;
  return { ...catalogue, ...fromText(saved.report) };
}

/** What the native writer is told. `report` is what the walk has told. */
export function checkpointsOf(
  work: WorkDirectory,
  request: string,
  report: WalkReport,
  seconds: number,
  resume: boolean,
): NativeCheckpoints {
  return { plan: work.plan, journal: work.journal, request: planText(request, report), seconds, resume };
}

/** Keeps what a walk has found where {@link loadPlannedRun} finds it, also after a power failure. */
export async function savePlannedRun(work: WorkDirectory, request: string, walked: WalkResult): Promise<void> {
  await runJob(() => loadAddon().savePlan(walked.catalogue, work.plan, planText(request, walked)));
  await syncFile(work.plan);
  await syncDirectoryOf(work.plan);
}

function planText(request: string, { excluded, skipped, notices, unreadable }: WalkReport): Buffer {
  const told = { excluded, skipped: toText(skipped), notices: toText(notices), unreadable: toText(unreadable) };
  return Buffer.from(JSON.stringify({ request, report: told }));
}

/** What two runs must have in common for one to go on with the other. Options are those that decide what an image holds and where it lies. */
export async function requestText(sources: readonly Buffer[], options: object): Promise<string> {
  const real = await Promise.all(sources.map(realSource));
  const asked = { version, sources: real.map(latin1), options };
  return JSON.stringify(asked, (_, value: unknown) => (isBufferJson(value) ? latin1(Buffer.from(value.data)) : value));
}

/** A source's path without symbolic links; one that was removed already was a directory or a file in what is there still. */
async function realSource(source: Buffer): Promise<Buffer> {
  if ((await lstatOf(source)) !== undefined) return await realpath(source, { encoding: 'buffer' });
  const path = resolve(source.toString('latin1'));
  const parent = await realpath(Buffer.from(dirname(path), 'latin1'), { encoding: 'buffer' });
  return Buffer.concat([parent, Buffer.from(parent.length > 1 ? '/' : ''), Buffer.from(basename(path), 'latin1')]);
}

/** A Buffer, of which JSON.stringify has made an object before anybody is asked. */
function isBufferJson(value: unknown): value is { readonly data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
}

/** Whether the directory of a run that ends with `error` is to stay: because what it made durable need not be made again, or because it has done nothing yet. */
export async function isWorthKeeping(work: WorkDirectory, error: unknown): Promise<boolean> {
  if (isShoalError(error, 'usage')) return await hasPlan(work);
  return isShoalError(error, 'io', 'cancelled') && (await lstatOf(work.journal)) !== undefined;
}

/** Whether there is the plan of a run that was stopped. */
export async function hasPlan(work: WorkDirectory): Promise<boolean> {
  return (await lstatOf(work.plan)) !== undefined;
}

/** Before another plan is saved. */
export async function forgetCheckpoints(work: WorkDirectory): Promise<void> {
  for (const path of [work.journal, work.plan]) {
    await unlink(path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
  }
}

/** JSON has no bytes: paths stand in it as latin1. */
function toText(problems: readonly NativeProblem[]): object[] {
  return problems.map(({ code, path, message }) => ({ code, path: latin1(path), message }));
}

function fromText(report: WalkReport): WalkReport {
  const back = (problems: readonly NativeProblem[]) =>
    problems.map(({ code, path, message }) => ({ code, path: Buffer.from(String(path), 'latin1'), message }));
  const { excluded, skipped, notices, unreadable } = report;
  return { excluded, skipped: back(skipped), notices: back(notices), unreadable: back(unreadable) };
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}
