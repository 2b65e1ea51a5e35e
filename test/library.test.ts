import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../src/index.ts';

const root = join(import.meta.dirname, '..');
let declarations: string;

beforeAll(() => {
  declarations = mkdtempSync(join(tmpdir(), 'shoal-types-'));
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  execFileSync(compiler, ['-p', join(root, 'tsconfig.build.json'), '--outDir', declarations], { cwd: root });
});
afterAll(() => rmSync(declarations, { recursive: true }));

describe('the library', () => {
  test('exports these values', () => {
    expect(Object.keys(library).sort()).toMatchInlineSnapshot(`
      [
        "ShoalError",
        "execInImages",
        "extractImage",
        "indexArchive",
        "isShoalError",
        "mergeImages",
        "mountImage",
        "mountStatistics",
        "openImage",
        "openIndex",
        "packArchive",
        "packTree",
        "previewPack",
        "unmountImage",
        "verifyImage",
      ]
    `);
  });

  test('exports these types', () => {
    const types = exportsOf('type').map(({ name }) => name);
    expect(types.sort()).toMatchInlineSnapshot(`
      [
        "ArchiveOptions",
        "BackgroundOptions",
        "CommandEnd",
        "Entry",
        "EntryKind",
        "EntryProblem",
        "ErrorCode",
        "ErrorDetails",
        "Extent",
        "ExtractOptions",
        "ExtractSummary",
        "FileReader",
        "Image",
        "ImageMount",
        "Images",
        "IndexOptions",
        "IndexReader",
        "IndexSummary",
        "JobOptions",
        "Layout",
        "LifeOptions",
        "MergeOptions",
        "MergeSummary",
        "Metadata",
        "MountOptions",
        "MountStatistics",
        "Mounted",
        "OnProgress",
        "PackOptions",
        "PackPreview",
        "PackSummary",
        "PreviewOptions",
        "Problem",
        "Progress",
        "RemovedSources",
        "Selection",
        "TreePart",
        "UnmountOptions",
        "VerifyOptions",
        "VerifySummary",
        "Volume",
        "Xattr",
      ]
    `);
  });

  test('has these signatures', () => {
    const signatures = exportsOf('value').map((found) => declarationOf(found).signature);
    expect(signatures.filter((signature) => !signature.includes('class')).sort()).toMatchInlineSnapshot(`
      [
        "function execInImages(mounts: readonly ImageMount[], command: readonly (string | Buffer)[], options?: MountOptions): Promise<CommandEnd>",
        "function extractImage(image: string | Buffer, directory: string | Buffer, options?: ExtractOptions): Promise<ExtractSummary>",
        "function indexArchive(paths: string | Buffer | readonly (string | Buffer)[], options?: IndexOptions): Promise<IndexSummary>",
        "function isShoalError(error: unknown, ...codes: ErrorCode[]): error is ShoalError",
        "function mergeImages(parts: readonly (string | Buffer)[], output: string | Buffer, options?: MergeOptions): Promise<MergeSummary>",
        "function mountImage(images: Images, directory: string | Buffer, options?: BackgroundOptions): Promise<Mounted>",
        "function mountStatistics(directory: string | Buffer): Promise<MountStatistics>",
        "function openImage(path: string | Buffer): Image",
        "function openIndex(path: string | Buffer): IndexReader",
        "function packArchive(archive: string | Buffer | AsyncIterable<Uint8Array>, output: string | Buffer, options?: ArchiveOptions): Promise<PackSummary>",
        "function packTree(sources: readonly (string | Buffer)[], output: string | Buffer, options?: PackOptions): Promise<PackSummary>",
        "function previewPack(sources: readonly (string | Buffer)[], options?: PreviewOptions): Promise<PackPreview>",
        "function unmountImage(directory: string | Buffer, options?: UnmountOptions): Promise<void>",
        "function verifyImage(image: string | Buffer, options?: VerifyOptions): Promise<VerifySummary>",
      ]
    `);
  });

  test('explains each of them, with an example', () => {
    const silent = exportsOf('value').filter((found) => !declarationOf(found).comment.includes('@example'));
    expect(silent).toEqual([]);
  });
});

interface Exported {
  readonly name: string;
  readonly module: string;
}

/** What the library's declarations export from which module. */
function exportsOf(kind: 'type' | 'value'): Exported[] {
  const text = readFileSync(join(declarations, 'index.d.ts'), 'utf8');
  return [...text.matchAll(/^export (type )?\{ (.*) \} from '(.*)';$/gm)].flatMap(
    ([, type, names = '', module = '']) =>
      (type === undefined) === (kind === 'value') ? names.split(', ').map((name) => ({ name, module })) : [],
  );
}

/** The declaration of an export on one line, and the comment before it. */
function declarationOf({ name, module }: Exported): { comment: string; signature: string } {
  const text = readFileSync(join(declarations, module.replace(/\.[jt]s$/, '.d.ts')), 'utf8');
  const found = new RegExp(`(/\\*\\*(?:(?!\\*/)[^])*\\*/)\\nexport declare (?:function|class) ${name}\\b[^{;]*`).exec(
    text,
  );
  const [declaration = '', comment = ''] = found ?? [];
  const signature = declaration.slice(comment.length).replace(/\s+/g, ' ').replace('export declare ', '').trim();
  return { comment, signature };
}
