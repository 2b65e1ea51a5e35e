import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Who works on an image: the content of the file `lease`, one line of JSON. */
export interface Lease {
  /** Name, boot and process namespace: what makes a process id mean one process. */
  readonly host: string;
  readonly pid: number;
  /** Of the process, in clock ticks since the host's boot (field 22 of /proc/PID/stat): ids are used again. */
  readonly start: string;
}

/** How often a run says that it lives, and after which silence a run on another host counts as dead, in milliseconds. */
const renewInterval = 15_000;
const silence = 120_000;

export function ownLease(): Lease {
  return { host: ownHost(), pid: process.pid, start: startOf(process.pid) ?? '' };
}

/** `HOST-PID-START` of the run, with eight digits of the host's digest: what it names directories after. */
export function ownTag(): string {
  const { host, pid, start } = ownLease();
  return `${digestOf(host)}-${pid}-${start}`;
}

/** Whether the run with this tag may be alive; `age` of what it named so, in milliseconds. Undefined for what is no tag. */
export function isTaggedAlive(tag: string, age: number): boolean | undefined {
  const [, host, pid, start] = /^([0-9a-f]{8})-(\d+)-(\d+)$/.exec(tag) ?? [];
  if (host === undefined) return undefined;
  return host === digestOf(ownHost()) ? startOf(Number(pid)) === start : age < silence;
}

/** Writes a new lease. Throws as the filesystem does. */
export async function writeLease(path: Buffer, lease: Lease): Promise<void> {
  try {
    await writeFile(path, textOf(lease), { flag: 'wx' });
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

/** The lease at `path`, and its text; without content where the text is not that of one. Throws as the filesystem does. */
export async function readLease(path: Buffer): Promise<{ text: string; content: Lease | undefined }> {
  const text = await readFile(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    return { text, content: isLease(value) ? value : undefined };
  } catch {
    return { text, content: undefined };
  }
}

/** Renews the lease at `path` until the returned function is called. */
export function keepLease(path: Buffer, lease: Lease): () => void {
  const timer = setInterval(() => {
    // Writing takes the time from the filesystem's clock; utimes would take ours. Should it fail, the end of the work notices.
    writeFile(path, textOf(lease), { flag: 'r+' }).catch(() => undefined);
  }, renewInterval);
  timer.unref();
  return () => clearInterval(timer);
}

/** Makes the lease at `path` that of a dead run, though this process goes on. */
export async function abandonLease(path: Buffer): Promise<void> {
  await writeFile(path, textOf({ host: ownHost(), pid: 0, start: '' }));
}

/** Whether the run that wrote `lease` may be alive; `age` of its last sign of life in milliseconds, by the filesystem's clock. */
export function isAlive(lease: Lease | undefined, age: number): boolean {
  return lease?.host === ownHost() ? startOf(lease.pid) === lease.start : age < silence;
}

function ownHost(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** When the process started; undefined if there is none, or only what a dead one leaves until its parent asks for it. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may hold any character.
    const [state, ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function digestOf(host: string): string {
  return createHash('sha256').update(host).digest('hex').slice(0, 8);
}

function textOf(lease: Lease): string {
  return `${JSON.stringify(lease)}\n`;
}

function isLease(value: unknown): value is Lease {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    typeof value.host === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'start' in value &&
    typeof value.start === 'string'
  );
}
