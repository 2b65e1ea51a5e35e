/** Bytes that can be read at any place. Whoever opened it closes it. */
export interface ByteSource {
  /** As shown to people. */
  readonly path: string;
  /** In bytes. */
  readonly length: number;
  /** Fills `into` with the bytes from `offset` on: all of them, or throws `truncated` (the source ends before) or `io`. */
  read(offset: number, into: Uint8Array): void;
  close(): void;
}
