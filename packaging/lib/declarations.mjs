import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { SetupError } from './errors.mjs';
import { run } from './exec.mjs';
import { root } from './paths.mjs';

const ENTRY = 'index.d.ts';
const COMPILED = join(root, '.cache/types');
const OUTPUT = join(root, 'dist/types');

/** A relative import of a declaration file; the compiler leaves the name of the source there. */
const IMPORT = /((?:from|import)\s*\(?')(\.[^']+)\.ts'/g;

/**
 * The type declarations of the library, twice: TypeScript tells by the nearest package.json whether a program may
 * `import` what they describe or `require` it, and RingMQ can be loaded in both ways. Only what is reachable from the
 * entry, a fifth of what the compiler writes.
 */
export async function writeDeclarations() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { ok, output } = await run(process.execPath, [compiler, '-p', 'packaging/types.tsconfig.json']);
  if (!ok) throw new SetupError(`${output}\nThe type declarations could not be made; see above.`);
  rmSync(OUTPUT, { recursive: true, force: true });
  const files = reachable(join(COMPILED, ENTRY), new Map());
  for (const [kind, type] of [
    ['import', 'module'],
    ['require', 'commonjs'],
  ]) {
    for (const [path, text] of files) write(join(OUTPUT, kind, relative(COMPILED, path)), text);
    write(join(OUTPUT, kind, 'package.json'), `${JSON.stringify({ type })}\n`);
  }
  rmSync(COMPILED, { recursive: true, force: true });
}

/** Text by path of a declaration file and of all that it imports. */
function reachable(path, found) {
  if (found.has(path)) return found;
  if (!existsSync(path)) throw new SetupError(`${path} is imported by a type declaration and was not made.`);
  const text = readFileSync(path, 'utf8');
  found.set(path, text.replace(IMPORT, "$1$2.js'"));
  for (const [, , imported] of text.matchAll(IMPORT))
    reachable(join(dirname(path), `${imported}.d.ts`), found);
  return found;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
