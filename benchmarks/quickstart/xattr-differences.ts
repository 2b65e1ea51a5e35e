import { runCommand } from '../run-command.ts';

/** Node cannot read extended attributes; python3, which the build asks for anyway, can. Prints a JSON array of paths. */
const script = `
import errno, json, os, sys

def attributes(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
        # A mount's own label, not the file's.
        return {n: os.getxattr(path, n, follow_symlinks=False) for n in names if n != "security.selinux"}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise

expected, found = map(os.fsencode, sys.argv[1:])
different = [b"."] if attributes(expected) != attributes(found) else []
for directory, folders, files in os.walk(expected):
    for name in folders + files:
        path = os.path.relpath(os.path.join(directory, name), expected)
        if attributes(os.path.join(expected, path)) != attributes(os.path.join(found, path)):
            different.append(path)
print(json.dumps([path.decode("utf-8", "backslashreplace") for path in different]))
`;

/** The paths whose extended attributes are not the same in both directories, as lines. */
export function xattrDifferences(expected: string, found: string): string[] {
  const paths = JSON.parse(runCommand(['python3', '-c', script, expected, found])) as string[];
  return paths.map((path) => `${path}: extended attributes`);
}
