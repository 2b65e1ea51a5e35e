/** Ends the command with `status`, unless something worse was said before: damage (3) is worse than failure (1). */
export function raiseExitStatus(status: number): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), status);
}
