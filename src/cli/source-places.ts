/**
 * Stacks in terms of the sources: what runs is a bundle. The maps are read when there is a stack to print; node itself
 * would read them at every start.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { embedded } from '../lib/embedded.ts';

const PLACE = /(?:file:\/\/)?(\/[^\s()]+\.cjs):(\d+):(\d+)/g;

/** The stack with each place in a file that has a map beside it (`<file>.map`) replaced by the place in the source. */
export function inSources(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(PLACE, (place: string, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, readMap(`${file}.map`));
    const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const source = resolve(dirname(file), entry.originalSource);
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(embedded?.text(basename(path)) ?? readFileSync(path, 'utf8')));
  } catch {
    // A stack without its sources is better than none.
    return undefined;
  }
}
