/** A page of a table whose entries have names: what requests 21 and 201 ask for piece by piece. */

/** The `count` items from index `first` on, by name; negative numbers count as 0. */
export function pageByName<T>(
  items: Iterable<T>,
  nameOf: (item: T) => string,
  first: number,
  count: number,
): T[] {
  const begin = Math.max(0, first);
  return [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).slice(begin, begin + Math.max(0, count));
}
