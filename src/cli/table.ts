export type Alignment = 'left' | 'right';

/** Rows of cells as lines with aligned columns, two spaces apart; the last column is not padded. */
export function tableLines(rows: readonly (readonly string[])[], alignments: readonly Alignment[]): string[] {
  const widths = alignments.map((_, column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, alignments[column]))
      .join('  ')
      .trimEnd(),
  );
}

function pad(cell: string, width: number, alignment: Alignment | undefined): string {
  return alignment === 'right' ? cell.padStart(width) : cell.padEnd(width);
}
