const typeLetters: Readonly<Record<number, string>> = { 1: 'p', 2: 'c', 4: 'd', 6: 'b', 8: '-', 10: 'l', 12: 's' };

/** `st_mode` as `ls -l` shows it: `drwxr-xr-x`. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string) => {
    const bits = mode >>> shift;
    const execute = bits & 1 ? (special ? letter : 'x') : special ? letter.toUpperCase() : '-';
    return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + execute;
  };
  return (
    (typeLetters[mode >>> 12] ?? '?') +
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  );
}

/** Permission bits as `chmod` takes them: `0644`, `4755`. */
export function permissionText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
