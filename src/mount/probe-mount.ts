import { execFile } from 'node:child_process';

/** A server that answers nothing for so long is taken to be stuck. */
const answerMilliseconds = 10_000;

/** Asks the server each time; stat(2) would be answered from what the kernel remembers. */
const question = `
  try {
    require('node:fs').statfsSync(Buffer.from(process.argv[1], 'base64'));
    console.log('answers');
  } catch (error) {
    console.log(error.code);
  }`;

/**
 * What statfs(2) says at `directory`: `answers`, `stuck`, or the name of an errno. Root asks as the user `uid` whose mount it is: the kernel
 * tells others nothing of it. Root of a user namespace that does not have that user asks as itself. A process of its own asks: where the server is stuck it can be killed, whereas a thread of ours would keep
 * us from ever ending.
 */
export async function probeMount(directory: Buffer, uid: number | undefined): Promise<string> {
  const answer = process.getuid?.() === 0 && uid !== undefined ? await ask(directory, { uid }) : undefined;
  return answer ?? (await ask(directory, {})) ?? 'stuck';
}

/** Undefined where the process could not be started as that user. */
function ask(directory: Buffer, user: { readonly uid?: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', question, directory.toString('base64')],
      { cwd: '/', timeout: answerMilliseconds, killSignal: 'SIGKILL', ...user },
      (error, stdout) => {
        if (error === null) resolve(stdout.trim());
        else resolve(error.killed ? 'stuck' : undefined);
      },
    );
  });
}
