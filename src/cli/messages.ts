import { writeSync } from 'node:fs';

/** Writes a line to stderr: everything that is not a result. That nobody can read it is no reason to fail. */
export function printMessage(line: string): void {
  writeMessage(`${line}\n`);
}

/** Writes text to stderr as it stands. */
export function writeMessage(text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(2, bytes, done);
    } catch {
      return;
    }
  }
}
