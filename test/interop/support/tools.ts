// Programs that the machine must have. Looked up by hand, so that a missing one is named with its remedy.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export function tool(name: string, remedy: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${name} is missing: ${remedy}`);
}
