/** The project's Markdown pages, for tests of what they link to and of the commands that they show. */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Tests run compiled: this file lies in dist/test/support. */
export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** What is made or fetched. */
const NOT_OURS = new Set(['node_modules', 'dist', 'build', 'coverage']);

/** Paths from the project folder. */
export function markdownPages(folder: string = PROJECT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return entry.name.endsWith('.md') ? [relative(PROJECT, path)] : [];
    return NOT_OURS.has(entry.name) || entry.name.startsWith('.') ? [] : markdownPages(path);
  });
}
