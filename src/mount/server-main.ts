import { closeSync, readFileSync, writeSync } from 'node:fs';
import { showBytes } from '../base/entry-path.ts';
import { toShoalError } from '../native/load.ts';
import { type Readiness, readinessDescriptor, type ServerRequest } from './background-server.ts';
import { serveImage } from './serve-image.ts';

/** The program of a background server; {@link startServer} starts it. */

function tell(readiness: Readiness): void {
  writeSync(readinessDescriptor, `${JSON.stringify(readiness)}\n`);
  closeSync(readinessDescriptor);
}

const request = JSON.parse(readFileSync(0, 'utf8')) as ServerRequest;
const image = Buffer.from(request.image, 'base64');
const directory = Buffer.from(request.directory, 'base64');
process.title = `shoal: ${showBytes(image)} on ${showBytes(directory)}`;

let ready = false;
try {
  await serveImage(image, directory, request.options, () => {
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
