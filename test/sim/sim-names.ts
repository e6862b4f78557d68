/**
 * The names of the simulated disk: a tree as processes see it, a tree as the platter has it, and what lies between.
 *
 * A name that is made, moved or removed is durable when its directory was synced, or when a file is synced that was
 * made under it (file systems carry a new file's own name along, and the directories above it). Everything else is lost
 * in a power cut, but for what chance has let reach the platter: with a journalling file system a prefix of all
 * changes, with the least that POSIX promises a prefix of each directory's.
 */
import { dirname } from 'node:path';
import type { Random } from '../support/random.ts';
import type { SimFile } from './sim-file.ts';

export class Tree {
  readonly files = new Map<string, SimFile>();
  readonly directories = new Set<string>(['/']);

  copy(): Tree {
    const copy = new Tree();
    for (const [path, file] of this.files) copy.files.set(path, file);
    for (const path of this.directories) copy.directories.add(path);
    return copy;
  }

  /** With a directory go the names in it, whatever was known of them. */
  dropDirectory(directory: string): void {
    this.directories.delete(directory);
    for (const path of this.files.keys()) if (path.startsWith(`${directory}/`)) this.files.delete(path);
  }

  /** Drops what lies in directories that are not there. */
  prune(): void {
    const isThere = (path: string): boolean =>
      path === '/' || (this.directories.has(path) && isThere(dirname(path)));
    for (const path of [...this.files.keys()]) if (!isThere(dirname(path))) this.files.delete(path);
    for (const path of [...this.directories]) if (!isThere(path)) this.directories.delete(path);
  }
}

interface Change {
  /** Paths that get or lose a name. */
  readonly paths: readonly string[];
  readonly apply: (tree: Tree) => void;
}

export class SimNames {
  /** As processes see them. */
  tree = new Tree();
  /** Whether a power cut may keep the changes of one directory and lose earlier ones of another. */
  unordered = false;
  #durable = new Tree();
  #changes: Change[] = [];

  change(paths: readonly string[], apply: (tree: Tree) => void): void {
    apply(this.tree);
    this.#changes.push({ paths, apply });
  }

  /** The names in a directory become durable. */
  syncDirectory(directory: string): void {
    if (this.unordered) this.#commit(directoriesOf, new Set([directory]));
    else this.#commitAll();
  }

  /** A file's own name becomes durable, and the directories above it. */
  syncNameOf(path: string): void {
    const names = new Set<string>();
    for (let name = path; name !== '/'; name = dirname(name)) names.add(name);
    if (this.unordered) this.#commit((change) => change.paths, names);
    else this.#commitAll();
  }

  /** What chance has let reach the platter is all that is left. Returns the files that have a name. */
  powerCut(random: Random): Set<SimFile> {
    if (this.unordered) {
      for (const directory of new Set(this.#changes.flatMap(directoriesOf))) {
        const own = this.#changes.filter((change) => directoriesOf(change).includes(directory));
        const last = own[random.int(0, own.length) - 1];
        if (last === undefined) continue;
        const reach = this.#changes.indexOf(last);
        this.#commit(directoriesOf, new Set([directory]), reach);
      }
    } else {
      const kept = random.int(0, this.#changes.length);
      for (const change of this.#changes.slice(0, kept)) change.apply(this.#durable);
    }
    this.#changes = [];
    this.#durable.prune();
    this.tree = this.#durable.copy();
    return new Set(this.tree.files.values());
  }

  #commitAll(): void {
    for (const change of this.#changes) change.apply(this.#durable);
    this.#changes = [];
  }

  /** Applies, in order, the changes up to number `reach` that touch one of `names`, and those that hang together. */
  #commit(namesOf: (change: Change) => readonly string[], names: Set<string>, reach = Infinity): void {
    let before = -1;
    while (names.size !== before) {
      before = names.size;
      for (const change of this.#changes) {
        const own = namesOf(change);
        if (own.length > 1 && own.some((name) => names.has(name))) for (const name of own) names.add(name);
      }
    }
    const isCommitted = (change: Change, i: number) =>
      i <= reach && namesOf(change).some((name) => names.has(name));
    for (const [i, change] of this.#changes.entries()) {
      if (isCommitted(change, i)) change.apply(this.#durable);
    }
    this.#changes = this.#changes.filter((change, i) => !isCommitted(change, i));
  }
}

function directoriesOf({ paths }: Change): string[] {
  return [...new Set(paths.map((path) => dirname(path)))];
}
