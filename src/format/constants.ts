/** The numbers of docs/FORMAT.md, section by section; native/core/format.h holds the same (a test compares the two). */

// §3 header
export const magic: Uint8Array = Uint8Array.of(0x89, 0x53, 0x48, 0x4f, 0x41, 0x4c, 0x0d, 0x0a);
export const major = 1;
export const minor = 1;
export const headerLength = 4096;
export const blockSize = 65536;
export const maxSections = 126;
export const idLength = 16;
export const sectionRowLength = 32;
export const sectionEssential = 1;
export const sectionAlignment = 64;
export const lastSection = 16;

// §4.2 entries
export const pageLength = 4096;
export const pageEntries = 128;
export const nameGroupEntries = 65536;
export const aliasAttributes = 0xfffffe;
export const wideAttributes = 0xffffff;
export const extentListVolume = 0xffff;
export const maxNameLength = 255;
/** Inode numbers are entry + 1, in 32 bits. */
export const maxEntries = 0xfffffffe;

// §4: bounds on what an index may say
/** Bytes of a set, a list or a table. */
export const maxAnswer = 2 ** 30;
/** Lengths, sizes, sums, seconds. */
export const maxNumber = Number.MAX_SAFE_INTEGER;

// §4.4 hash
export const bucketSlots = 16;
export const bucketFill = 12;
export const bucketLength = 64;
export const tagBits = 8;
export const tagMultiplier = 0x9e3779b1;

// §4.5 to §4.11 rows
export const attributesRowLength = 24;
export const noXattrs = 0xffffffff;
export const directoryRowLength = 24;
export const extentRowLength = 32;
export const extentListHeaderLength = 16;
export const chunkLength = 131072;
export const wideRowLength = 24;
export const volumeRowLength = 64;
export const volumeHasChecksums = 1;
export const volumeByShoal = 2;
export const volumeHasPieces = 4;
export const volumeProbeLength = 4096;
export const codecNone = 0;
export const codecZstd = 1;
/** Bytes of a volume under one checksum in `pieces`. */
export const pieceLength = 1_048_576;
/** Plain bytes of a frame, at least and at most, and unless said otherwise. */
export const minFrameLength = 16_384;
export const maxFrameLength = 8_388_608;
export const frameLength = 131_072;
/** Bytes that a frame may be longer than what it holds. */
export const maxFrameGrowth = 4096;
