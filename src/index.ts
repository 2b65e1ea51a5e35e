/**
 * Shoal as a library: what the command does, with typed results. Paths are text or, because names on Linux need not be text, bytes.
 * Everything that fails throws a {@link ShoalError}.
 *
 * @packageDocumentation
 */
export type { ErrorCode, ErrorDetails, Problem } from './base/errors.ts';
export { isShoalError, ShoalError } from './base/errors.ts';
export type { OnProgress, Progress } from './base/progress.ts';
export type { Extent } from './format/extents.ts';
export type { Metadata } from './format/metadata.ts';
export type { Volume } from './format/volumes.ts';
export type { Xattr } from './format/xattrs.ts';
export type { Entry, EntryKind } from './image/entry.ts';
export type { EntryProblem } from './image/entry-problem.ts';
export type { ExtractOptions, ExtractSummary } from './image/extract.ts';
export { extractImage } from './image/extract.ts';
export type { FileReader } from './image/file-reader.ts';
export type { Image } from './image/image.ts';
export type { IndexReader } from './image/index-reader.ts';
export { openImage, openIndex } from './image/open-image.ts';
export type { VerifyOptions, VerifySummary } from './image/verify.ts';
export { verifyImage } from './image/verify.ts';
export type { IndexOptions, IndexSummary } from './indexers/index-archive.ts';
export { indexArchive } from './indexers/index-archive.ts';
export type { CommandEnd, ImageMount } from './mount/exec-in-images.ts';
export { execInImages } from './mount/exec-in-images.ts';
export type { BackgroundOptions, Mounted } from './mount/mount-image.ts';
export { mountImage } from './mount/mount-image.ts';
export type { MountOptions } from './mount/mount-options.ts';
export type { Images, LifeOptions } from './mount/mount-plan.ts';
export type { MountStatistics } from './mount/statistics.ts';
export { mountStatistics } from './mount/statistics.ts';
export type { UnmountOptions } from './mount/unmount-image.ts';
export { unmountImage } from './mount/unmount-image.ts';
export type { JobOptions } from './native/run-job.ts';
export type { Layout } from './pack/layout.ts';
export type { MergeOptions, MergeSummary } from './pack/merge-images.ts';
export { mergeImages } from './pack/merge-images.ts';
export type { ArchiveOptions } from './pack/pack-archive.ts';
export { packArchive } from './pack/pack-archive.ts';
export type { PackOptions } from './pack/pack-options.ts';
export type { PackSummary } from './pack/pack-summary.ts';
export { packTree } from './pack/pack-tree.ts';
export type { PackPreview, PreviewOptions } from './pack/preview-pack.ts';
export { previewPack } from './pack/preview-pack.ts';
export type { Selection } from './pack/selection.ts';
export type { RemovedSources } from './pack/source-removal.ts';
export type { TreePart } from './pack/tree-part.ts';
