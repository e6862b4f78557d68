/** "Did you mean": the name that a misspelt one was probably meant to be. */
import leven from 'leven';

/** Of a longer text nobody wants to know what it resembles, and comparing costs its length times that of each name. */
const MAX_CHARACTERS = 100;
/** One mistake in so many characters. */
const CHARACTERS_PER_MISTAKE = 4;
/** Fewer say nothing about what was meant. */
const PREFIX_CHARACTERS = 4;

/**
 * The name that takes the fewest insertions, deletions, replacements and swaps of neighbours to get to from `given`, in
 * any case of letters; undefined when all of them take more than one in four characters.
 */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  if (given.length > MAX_CHARACTERS) return undefined;
  const wanted = given.toLowerCase();
  let nearest: string | undefined;
  let fewest = Math.floor(given.length / CHARACTERS_PER_MISTAKE) + 1;
  for (const name of names) {
    const mistakes = distance(wanted, name.toLowerCase(), fewest);
    if (mistakes >= fewest) continue;
    nearest = name;
    fewest = mistakes;
  }
  return nearest;
}

/** The first name, in any case of letters, that `given` begins or that begins `given`: a forgotten or added end. */
export function nameByPrefix(given: string, names: Iterable<string>): string | undefined {
  if (given.length < PREFIX_CHARACTERS) return undefined;
  const wanted = given.toLowerCase();
  for (const name of names) {
    const known = name.toLowerCase();
    const isLong = known.length >= PREFIX_CHARACTERS;
    if (known.startsWith(wanted) || (isLong && wanted.startsWith(known))) return name;
  }
  return undefined;
}

/** Edits from one text to the other, at most one of them a swap of neighbours; `most` for that many or more. */
function distance(from: string, to: string, most: number): number {
  let fewest = Math.min(most, leven(from, to, { maxDistance: most }));
  for (let i = 0; i + 1 < from.length && fewest > 1; i++) {
    const swapped = `${from.slice(0, i)}${from[i + 1]}${from[i]}${from.slice(i + 2)}`;
    fewest = Math.min(fewest, 1 + leven(swapped, to, { maxDistance: fewest }));
  }
  return fewest;
}
