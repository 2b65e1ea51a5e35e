/** The version of this package; a test holds it to package.json. It stands here because the command must not read files to know it. */
export const version = '0.1.0';
