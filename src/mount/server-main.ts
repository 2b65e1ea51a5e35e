import { closeSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { toShoalError } from '../native/load.ts';
import { decodeRequest, type Readiness, readinessDescriptor, serverDescriptor } from './background-server.ts';
import { serveImages } from './serve-images.ts';

/** The program of a background server; {@link startServer} starts it. */

/** O_CLOEXEC, as /proc/PID/fdinfo shows it (proc(5)). */
const closeOnExec = 0o2000000;

/**
 * What whoever started us had open would otherwise stay open for as long as the mount lives. Descriptors up to `last` are meant for us; Node's
 * own close on exec.
 */
function closeInherited(last: number): void {
  for (const descriptor of readdirSync('/proc/self/fd').map(Number)) {
    if (descriptor <= last) continue;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
      if ((Number.parseInt(flags ?? '0', 8) & closeOnExec) === 0) closeSync(descriptor);
    } catch {
      // It was that of the listing.
    }
  }
}

function tell(readiness: Readiness): void {
  writeSync(readinessDescriptor, `${JSON.stringify(readiness)}\n`);
  closeSync(readinessDescriptor);
}

const request = decodeRequest(readFileSync(0, 'utf8'));
const inherits = typeof request.target === 'number';
closeInherited(inherits ? serverDescriptor : readinessDescriptor);
const shownTarget = inherits ? 'a descriptor' : showBytes(request.target);
process.title = `shoal: ${request.images.map(showBytes).join(' ')} on ${shownTarget}`;

let ready = false;
try {
  await serveImages(request.images, inherits ? serverDescriptor : request.target, request.options, () => {
    ready = true;
    tell({ ok: true });
  });
  process.exit(0);
} catch (error) {
  const { code, message, path, offset } = toShoalError(error);
  if (!ready)
    tell({ ok: false, code, message, ...(path !== undefined && { path }), ...(offset !== undefined && { offset }) });
  process.exit(1);
}
