/** What happens to files that the log can make again: they are removed, emptied, or cut short. */
import type { Random } from '../support/random.ts';
import type { SimDisk } from './sim-disk.ts';

/** Damages a queue or index file, a queue, a topic, or all of them; returns what it did. */
export function damageDerived(disk: SimDisk, random: Random, root: string): string {
  const folder = random.pick(['consumequeue', 'index']);
  const under = `${root}/${folder}/`;
  const files = disk.paths().filter((path) => path.startsWith(under));
  if (files.length === 0) return 'nothing to damage';
  const file = random.pick(files);
  const kind = random.pick(['remove', 'removeFolder', 'removeAll', 'empty', 'cut'] as const);
  if (kind === 'remove') disk.remove(file);
  else if (kind === 'removeFolder') disk.remove(file.slice(0, file.lastIndexOf('/')));
  else if (kind === 'removeAll') disk.remove(`${root}/${folder}`);
  // No whole number of entries: that would be another configuration.
  else disk.truncate(file, kind === 'empty' ? 0 : random.int(0, disk.size(file) / 2 - 1) * 2 + 1);
  return `${kind} ${file}`;
}
