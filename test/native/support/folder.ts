import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'ringmq-native-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let names = 0;

/** A path that nothing has yet, in a folder that goes when the process ends. */
export function freshPath(): string {
  names += 1;
  return join(folder, `file-${names}`);
}

export { folder as temporaryFolder };
