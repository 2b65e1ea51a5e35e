import type { Random } from './random.ts';

const WORDS = 20_000;
/** Slots that a word is drawn from; the most frequent words have many. */
const SLOTS = 1 << 16;
const LETTERS = 'etaoinshrdlucmfwypvbgkjqxz';

/**
 * Writes text of words whose frequencies fall as those of a language do (Zipf's law): what labels, captions and logs are made of. zstd
 * compresses it to about a third.
 */
export function textWriter(random: Random): (length: number) => Buffer {
  const words = Array.from({ length: WORDS }, () => Buffer.from(`${word(random)} `));
  const slots = slotsByFrequency();
  return (length) => {
    const text = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const drawn = words[slots[random.below(SLOTS)] as number] as Buffer;
      at += drawn.copy(text, at);
      if (random.below(60) === 0) text[at - 1] = 10;
    }
    return text;
  };
}

/** Of 2 to 10 letters, those first in LETTERS most often. */
function word(random: Random): string {
  const length = 2 + random.below(5) + random.below(5);
  const letter = () => LETTERS[Math.min(random.below(LETTERS.length), random.below(LETTERS.length))];
  return Array.from({ length }, letter).join('');
}

function slotsByFrequency(): Uint16Array {
  const harmonic = Array.from({ length: WORDS }, (_, rank) => 1 / (rank + 1)).reduce((sum, each) => sum + each);
  const slots = new Uint16Array(SLOTS);
  let share = 0;
  let at = 0;
  for (let rank = 0; rank < WORDS; rank++) {
    share += 1 / (rank + 1) / harmonic;
    while (at < share * SLOTS && at < SLOTS) slots[at++] = rank;
  }
  return slots;
}
