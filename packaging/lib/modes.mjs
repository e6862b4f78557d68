/** What is given to others can be read by all, whatever the mask of who builds it; so the bytes are the same, too. */
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Everybody reads what is in the folder, and runs what its owner may run. */
export function forEveryone(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  for (const path of [folder, ...entries.map((entry) => join(entry.parentPath, entry.name))])
    chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
}
