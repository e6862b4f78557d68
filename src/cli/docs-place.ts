/** Where this installation has its documentation. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OF_PACKAGE = '/usr/share/doc/ringmq/docs';
/** From a compiled module or a bundle up to the folder of the project. */
const LEVELS = 4;

/** Path of the folder `docs`, or of the README where there is nothing else; undefined for the one file alone. */
export function docsPlace(): string | undefined {
  const projects = above(here()).filter((folder) => existsSync(join(folder, 'binding.gyp')));
  const places = projects.flatMap((folder) => [join(folder, 'docs'), join(folder, 'README.md')]);
  return [...places, OF_PACKAGE].find((path) => existsSync(path));
}

function here(): string {
  try {
    return dirname(fileURLToPath(import.meta.url));
  } catch {
    // Inside the one file modules have no place.
    return '/';
  }
}

function above(folder: string): string[] {
  const folders = [folder];
  while (folders.length < LEVELS) folders.push(dirname(folders.at(-1) as string));
  return folders;
}
