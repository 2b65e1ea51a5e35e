export interface Random {
  below(limit: number): number;
  fill(bytes: Buffer): void;
}

/** Numbers that a seed decides (mulberry32): the same data set on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (limit) => Math.floor((next() / 2 ** 32) * limit),
    fill: (bytes) => {
      for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32LE(next(), at);
    },
  };
}
