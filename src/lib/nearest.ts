/** "Did you mean": the name that a misspelt one was probably meant to be. */
import leven from 'leven';

/** Of a longer text nobody wants to know what it resembles, and comparing costs its length times that of each name. */
const MAX_CHARACTERS = 100;
/** One mistake in so many characters. */
const CHARACTERS_PER_MISTAKE = 4;

/**
 * The name that takes the fewest insertions, deletions and replacements to get to from `given`, in any case of letters;
 * undefined when all of them take more than one in four characters.
 */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  if (given.length > MAX_CHARACTERS) return undefined;
  const wanted = given.toLowerCase();
  let nearest: string | undefined;
  let fewest = Math.floor(given.length / CHARACTERS_PER_MISTAKE) + 1;
  for (const name of names) {
    const mistakes = leven(wanted, name.toLowerCase(), { maxDistance: fewest });
    if (mistakes >= fewest) continue;
    nearest = name;
    fewest = mistakes;
  }
  return nearest;
}
