import { ShoalError } from '../base/errors.ts';

/** Where bytes that are being decoded come from. */
export interface Place {
  /** The index, as shown to people. */
  readonly path: string;
  /** Of the first of the bytes, in the index. */
  readonly offset: number;
}

/** The error for bytes of an index that contradict docs/FORMAT.md although their checksum holds; `at` counts from the place. */
export function malformed(place: Place, message: string, at = 0): ShoalError {
  return new ShoalError('malformed', `${message}; the index was made wrongly, make it anew with "shoal index"`, {
    path: place.path,
    offset: place.offset + at,
  });
}
