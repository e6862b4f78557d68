// What set-up asks of a machine before it begins.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, packagingModule } from '../../support/packaging.ts';

interface Tool {
  name: string;
  variable?: string;
}

interface Tools {
  COMPILER: Tool[];
  TOOLS: Record<string, Tool[]>;
  requireMachine(tools: Tool[], machine?: { platform?: string; version?: string }): void;
}

interface Errors {
  troubleIn(output: string, path?: string): string | undefined;
}

const { COMPILER, TOOLS, requireMachine } = await packagingModule<Tools>('packaging/lib/tools.mjs');
const { troubleIn } = await packagingModule<Errors>('packaging/lib/errors.mjs');

const test = suite('what set-up asks of a machine');
const SUDO = process.getuid?.() === 0 ? '' : 'sudo ';

/** What is said on a machine with these programs and no others. */
async function said(
  programs: string[],
  machine: { platform?: string; version?: string } = {},
): Promise<string> {
  const before = { ...process.env };
  let message = '';
  await inFolder((folder) => {
    for (const program of programs) {
      writeFileSync(join(folder, program), '');
      chmodSync(join(folder, program), 0o755);
    }
    process.env['PATH'] = folder;
    for (const { variable } of COMPILER) delete process.env[variable ?? ''];
    try {
      requireMachine(Object.values(TOOLS).reverse().flat(), machine);
    } catch (error) {
      message = (error as Error).message;
    } finally {
      process.env = before;
    }
  });
  return message;
}

test('nothing is said when all is there', async () => {
  assert.is(await said(['npm', 'g++', 'make', 'python3']), '');
});

test('all that is missing at once, in the words of the system', async () => {
  const tools = 'npm, g++, make and python3 are missing: ';
  assert.is(await said(['apt-get']), `${tools}${SUDO}apt-get install -y npm g++ make python3`);
  assert.is(await said(['apk']), `${tools}${SUDO}apk add npm g++ make python3`);
  assert.is(await said(['dnf']), `${tools}${SUDO}dnf install -y npm gcc-c++ make python3`);
  assert.is(
    await said(['apt-get', 'npm', 'make', 'python3']),
    `g++ is missing: ${SUDO}apt-get install -y g++`,
  );
  assert.match(await said([]), /are missing: install them with this system's package manager\.$/);
});

test('an old Node.js and missing tools are told together', async () => {
  const message = await said(['apt-get', 'npm', 'g++', 'make'], { version: '20.17.0' });
  const [head, node, tools] = message.split('\n');
  assert.is(head, 'This machine lacks:');
  assert.match(node ?? '', /^- RingMQ needs Node\.js 20\.18 or newer; this is 20\.17\.0\./);
  assert.is(tools, `- python3 is missing: ${SUDO}apt-get install -y python3`);
});

test('a program that CXX, MAKE or PYTHON names counts', async () => {
  process.env['CXX'] = 'clang++';
  try {
    requireMachine([{ name: 'no-such-program', variable: 'CXX' }]);
  } finally {
    delete process.env['CXX'];
  }
});

test('macOS and Windows are told where RingMQ runs, and nothing else', async () => {
  assert.match(
    await said([], { platform: 'darwin' }),
    /^RingMQ needs Linux: .*On macOS, run it in a Linux container/,
  );
  assert.match(await said([], { platform: 'win32' }), /On Windows, run it in WSL2/);
});

test('a disk without room and missing rights become sentences', () => {
  assert.match(
    troubleIn('npm error code ENOSPC\nnpm error nospc', '/x') ?? '',
    /no room left on the disk of \/x/,
  );
  assert.match(troubleIn('cc1plus: fatal error: x.o: No space left on device', '/x') ?? '', /no room left/);
  assert.match(troubleIn('npm error code EDQUOT', '/x') ?? '', /quota/);
  assert.match(troubleIn('npm error code EACCES', '/x') ?? '', /may not write to all of \/x.*sudo chown -R/);
  assert.match(troubleIn("g++: can't create x.o: Permission denied", '/x') ?? '', /may not write/);
  assert.match(troubleIn('EROFS: read-only file system', '/x') ?? '', /can only be read/);
  assert.is(troubleIn('error: expected ; before }', '/x'), undefined);
});

test.run();
