/** Options of `shoal mount` that take a value, as they may stand before its operands. */
const withValue = new Set(['-o', '--options', '--log', '--lease']);

/**
 * The arguments with `mount` in front where it is left out: mount(8) and mount.fuse3 run `shoal IMAGE DIR -o OPTIONS`. The first operand must be
 * the path of an image then, which no command's name, however it is misspelt, looks like: it has a slash or ends in `.shoal`.
 */
export function withImpliedMount(args: readonly string[]): readonly string[] {
  const operand = firstOperand(args);
  return operand !== undefined && (operand.includes('/') || operand.endsWith('.shoal')) ? ['mount', ...args] : args;
}

function firstOperand(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string;
    if (argument === '--') return args[at + 1];
    if (!argument.startsWith('-') || argument === '-') return argument;
    if (withValue.has(argument)) at++;
  }
  return undefined;
}
