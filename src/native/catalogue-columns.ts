import type { CatalogueColumns, NativeCatalogue } from './catalogue.ts';
import { loadAddon, toShoalError } from './load.ts';

/** The columns, to be read only. Nothing changes the catalogue afterwards; its memory stays until it and they are collected. */
export function catalogueColumns(catalogue: NativeCatalogue): CatalogueColumns {
  try {
    return loadAddon().catalogueColumns(catalogue);
  } catch (error) {
    throw toShoalError(error);
  }
}
