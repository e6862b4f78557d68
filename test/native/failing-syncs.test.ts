// Syncs that fail, and descriptors that run out, in a child process: a library in front of the system's own calls tells
// of every sync and fails those that it is told to.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StateFile } from '../../src/metadata/state-file.ts';
import { addon } from '../../src/native/addon.ts';
import { failure } from './support/errno.ts';
import { eventually } from './support/eventually.ts';
import { freshPath } from './support/folder.ts';

/**
 * Appends `call path` to $SYNCS_LOG, of closes those of deleted files; fails with EIO when the line contains what
 * stands in $SYNCS_FAIL.
 */
const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int refused(const char* call, int descriptor) {
  char self[64], path[4096] = {0}, line[4200], wanted[4096] = {0};
  snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
  if (readlink(self, path, sizeof path - 1) < 0) return 0;
  int length = snprintf(line, sizeof line, "%s %s\\n", call, path);
  int log = open(getenv("SYNCS_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (log >= 0) { (void)!write(log, line, length); close(log); }
  int fail = open(getenv("SYNCS_FAIL"), O_RDONLY);
  if (fail < 0) return 0;
  ssize_t count = read(fail, wanted, sizeof wanted - 1);
  close(fail);
  return count > 0 && strstr(line, wanted) != NULL;
}
#define WRAP(name) int name(int descriptor) { \\
  if (refused(#name, descriptor)) { errno = EIO; return -1; } \\
  return ((int (*)(int))dlsym(RTLD_NEXT, #name))(descriptor); }
WRAP(fdatasync)
WRAP(fsync)
WRAP(syncfs)
int close(int descriptor) {
  char self[64], path[4096] = {0};
  snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
  if (readlink(self, path, sizeof path - 1) > 0 && strstr(path, " (deleted)") != NULL)
    refused(gettid() == getpid() ? "closed in the main thread" : "closed elsewhere", descriptor);
  return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(descriptor);
}
`;

const shim = `${freshPath()}.so`;
const log = freshPath();
const fail = freshPath();
const inChild = process.env['SYNCS_LOG'] !== undefined;

let told = 0;

/**
 * What was synced since the last call, `call path` each. Threads write into the log at any time, so it is never cut:
 * what came between a look and a cut would be lost.
 */
function synced(): string[] {
  const path = process.env['SYNCS_LOG'] as string;
  const text = existsSync(path) ? readFileSync(path, 'latin1').slice(told) : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  told += whole.length;
  return whole.split('\n').filter((line) => line !== '');
}

function failOn(what: string): void {
  writeFileSync(process.env['SYNCS_FAIL'] as string, what);
}

const block = new Uint8Array(4096).fill(7);

/** Each runs in a child of its own. */
const scenarios: Record<string, () => Promise<void>> = {
  async 'a failed sync of a file is done again, with its pages written again'() {
    const path = freshPath();
    const file = addon.openFile(path, 1 << 20);
    addon.writeFile(file, 8192, block, 0, block.length);
    failOn(path);
    assert.is(await addon.syncDirtyFiles(), failure('EIO'));
    assert.is(await addon.syncDirtyFiles(), failure('EIO'), 'nothing was written to it since');
    const { blocks } = statSync(path);
    utimesSync(path, 1, 1);
    failOn('');
    synced();
    assert.is(await addon.syncDirtyFiles(), 0);
    assert.equal(
      synced().filter((line) => line.endsWith(path)),
      [`fdatasync ${path}`],
    );
    assert.is.not(statSync(path).mtimeMs, 1000, 'its pages were made dirty');
    assert.is(statSync(path).blocks, blocks, 'its holes were left alone');
    assert.ok(readFileSync(path).subarray(8192, 12288).equals(block), 'its content too');
    assert.is(await addon.syncDirtyFiles(), 0);
    assert.equal(synced(), [], 'once is enough');
  },

  async 'a file whose descriptor was closed while it was dirty is synced with its file system'() {
    addon.setFileCacheLimit(1);
    const [first, second] = [freshPath(), freshPath()];
    const file = addon.openFile(first, 0);
    addon.writeFile(file, 0, block, 0, block.length);
    const other = addon.openFile(second, 0);
    addon.readFile(other, 0, block, 0, 1);
    failOn('syncfs');
    assert.is(
      await addon.syncDirtyFiles(),
      failure('EIO'),
      'what its own descriptor would not tell any more',
    );
    failOn('');
    synced();
    assert.is(await addon.syncDirtyFiles(), 0);
    assert.ok(synced().includes(`fdatasync ${first}`), 'all that may be lost is written again');
    addon.writeFile(file, 0, block, 0, block.length);
    assert.is(await addon.syncDirtyFiles(), 0);
    assert.not(
      synced().some((line) => line.startsWith('syncfs')),
      'a descriptor that stayed open tells',
    );
  },

  async 'the directories of a new file are synced with it'() {
    const top = freshPath();
    mkdirSync(`${top}/topic/0`, { recursive: true });
    const path = `${top}/topic/0/file`;
    const file = addon.openFile(path, 4096);
    addon.writeFile(file, 0, block, 0, 1);
    failOn(`fsync ${top}/topic\n`);
    assert.is(await addon.syncDirtyFiles(), failure('EIO'));
    failOn('');
    synced();
    assert.is(await addon.syncDirtyFiles(), 0);
    const all = synced();
    for (const directory of [`${top}/topic/0`, `${top}/topic`, top])
      assert.ok(all.includes(`fsync ${directory}`), directory);
    addon.writeFile(file, 0, block, 0, 1);
    await addon.syncDirtyFiles();
    assert.equal(synced(), [`fdatasync ${path}`], 'once');
  },

  async 'a state file is synced before it takes its name, and its directory after that'() {
    const directory = freshPath();
    mkdirSync(directory);
    const path = `${directory}/topics.json`;
    const file = new StateFile(path);
    for (const text of ['{"n":1}', '{"n":2}']) {
      synced();
      file.save(() => text);
      await file.saved();
      assert.equal(synced(), [`fsync ${path}.tmp`, `fsync ${directory}`]);
    }
    failOn(`${path}.tmp`);
    file.save(() => '{"n":3}');
    await file.saved().then(
      () => assert.unreachable('it was not synced'),
      (error: NodeJS.ErrnoException) => assert.is(error.code, 'EIO'),
    );
    assert.is(readFileSync(path, 'utf8'), '{"n":2}', 'the one before is still there');
  },

  async 'very many files are synced at once, and a failure is a failure of all'() {
    const files = Array.from({ length: 300 }, () => addon.openFile(freshPath(), 0));
    for (const file of files) addon.writeFile(file, 0, block, 0, block.length);
    failOn('syncfs');
    assert.is(await addon.syncDirtyFiles(), failure('EIO'));
    failOn('');
    synced();
    assert.is(await addon.syncDirtyFiles(), 0);
    const all = synced();
    assert.is(all.filter((line) => line.startsWith('fdatasync')).length, 300);
    assert.is(all.filter((line) => line.startsWith('syncfs')).length, 1);
  },

  async 'the last one to leave a deleted segment does not free its blocks, and one that is still there is just closed'() {
    const [deleted, kept] = [freshPath(), freshPath()];
    // Made before, as the descriptor with which a file is made does not show its name.
    for (const path of [deleted, kept]) assert.is(await addon.prepareSegment(path, 1 << 20), 0);
    const regions = [deleted, kept].map((path) => addon.openSegment(path, 1 << 20, false));
    unlinkSync(deleted);
    await eventually(() => synced().length === 0, 'the files are made');
    for (const region of regions) addon.closeRegion(region);
    const closed = () => synced().filter((line) => line.startsWith('closed'));
    let lines = closed();
    await eventually(() => {
      lines = [...lines, ...closed()];
      return lines.length > 0;
    }, 'the descriptor is closed');
    assert.equal(lines, [`closed elsewhere ${deleted} (deleted)`]);
  },

  async 'without descriptors a segment that is open is shared, and a file takes the place of others'() {
    const [segment, kept, made] = [freshPath(), freshPath(), freshPath()];
    const region = addon.openSegment(segment, 4096, true);
    addon.openFile(kept, 0);
    const hogs: number[] = [];
    for (;;) {
      const lock = addon.lockFile(freshPath());
      if (lock < 0) break;
      hogs.push(lock);
    }
    assert.is(addon.openSegment(segment, 4096, false), region);
    assert.is(
      addon.openSegment(segment, 8192, false),
      failure('EMFILE'),
      'of another size it is another file',
    );
    assert.ok(addon.openFile(made, 0) > 0, 'the cache gave up one of its own');
    for (const lock of hogs) addon.unlockFile(lock);
  },
};

if (inChild) {
  await (scenarios[process.env['SYNCS_SCENARIO'] as string] as () => Promise<void>)();
} else {
  test.before(() => {
    writeFileSync(`${shim}.c`, SHIM);
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, `${shim}.c`, '-ldl']);
  });
  for (const name of Object.keys(scenarios)) {
    test(name, () => {
      for (const path of [fail, log]) rmSync(path, { force: true });
      const self = fileURLToPath(import.meta.url);
      const child = spawnSync('/bin/sh', ['-c', `ulimit -n 400; exec "$0" "$1"`, process.execPath, self], {
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, LD_PRELOAD: shim, SYNCS_LOG: log, SYNCS_FAIL: fail, SYNCS_SCENARIO: name },
      });
      assert.is(child.status, 0, child.stderr);
    });
  }
  test.run();
}
