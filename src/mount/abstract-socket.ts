import { createServer, type Server, type Socket } from 'node:net';

/**
 * Sockets in the abstract namespace (unix(7)) need no directory, leave nothing behind, and are closed by the kernel when their process ends,
 * however it ends. Node makes them properly from 20.4 on. Another network namespace has other names. Nobody is kept from any name: what
 * comes over such a socket may be from anybody on this machine.
 */
export interface AbstractServer {
  /** Also ends the open connections. */
  close(): void;
}

/** Listens under `name`; keeps no process alive. `taken`: somebody else does. Undefined where abstract names are not supported. */
export function listenAbstract(
  name: string,
  onConnection: (socket: Socket) => void,
): Promise<AbstractServer | 'taken' | undefined> {
  return new Promise((resolve) => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
      onConnection(socket.unref());
    });
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE' ? 'taken' : undefined));
    server.listen({ path: abstractPath(name) }, () => {
      server.unref();
      resolve({
        close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}

export function abstractPath(name: string): string {
  return `\0shoal.${name}`;
}

/**
 * Whoever is on the other end may send anything. The lease of 1 024 images takes 36 000 characters, the paths in options up to 5 a byte, statistics
 * 10 000.
 */
const maxLine = 1 << 17;

/** The lines that come over a socket, until it ends, fails or sends what is no line. */
export async function* readLines(socket: Socket): AsyncGenerator<string, undefined> {
  let text = '';
  try {
    for await (const part of socket.setEncoding('utf8')) {
      const lines = (text + part).split('\n');
      text = lines.pop() ?? '';
      yield* lines;
      if (text.length > maxLine) return undefined;
    }
  } catch {
    // It failed, which ends it as well.
  }
}
