/** The numbers of docs/capacity.md that follow from formats, limits and defaults are those of the code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BROKER_SHARE, connectionLimit, NAME_SERVER_SHARE } from '../../../src/lib/descriptors.ts';
import { FIXED_BYTES_V1_IPV4, IPV6_EXTRA } from '../../../src/record/layout.ts';
import { INDEX_ENTRY_BYTES } from '../../../src/store/index/index-layout.ts';
import { DEFAULT_STORE_OPTIONS } from '../../../src/store/options.ts';
import { ENTRY_BYTES as QUEUE_ENTRY_BYTES } from '../../../src/store/queue/consume-queue.ts';
import { readProjectFile } from '../../support/source-files.ts';

const test = suite('capacity');
const page = readProjectFile('docs/capacity.md');

/** Numbers of the rows of the table whose head begins so. */
function rowsUnder(head: string): number[][] {
  const from = page.indexOf(`| ${head}`);
  assert.ok(from >= 0, `there is a table ${head}`);
  const [table = ''] = page.slice(from).split('\n\n');
  const rows = table.split('\n').slice(2);
  return rows.map((row) => row.split('|').slice(1, -1).map(Number));
}

test('connections by descriptors', () => {
  const rows = rowsUnder('`ulimit -n`');
  assert.ok(rows.length > 3);
  for (const row of rows) {
    const [descriptors = 0] = row;
    assert.equal(row, [
      descriptors,
      connectionLimit(BROKER_SHARE, descriptors),
      connectionLimit(NAME_SERVER_SHARE, descriptors),
      connectionLimit(1, descriptors),
    ]);
  }
});

test('bytes of a message', () => {
  assert.ok(page.includes(`| in the CommitLog | ${FIXED_BYTES_V1_IPV4} + body + topic + properties |`));
  assert.ok(page.includes(`each IPv6 address takes ${IPV6_EXTRA} more`));
  assert.ok(page.includes(`| in its ConsumeQueue | ${QUEUE_ENTRY_BYTES} |`));
  assert.ok(page.includes(`| in the index | ${INDEX_ENTRY_BYTES} for its unique key`));
});

test('watermarks', () => {
  const rows = [...page.matchAll(/^\| above (\d+) % \| `(\w+)` \|/gm)];
  const shown = rows.map(([, percent, key]) => [key, Number(percent)]);
  const { diskMaxUsedSpaceRatio, diskSpaceCleanForciblyRatio, diskSpaceWarningLevelRatio } =
    DEFAULT_STORE_OPTIONS;
  const marks = { diskMaxUsedSpaceRatio, diskSpaceCleanForciblyRatio, diskSpaceWarningLevelRatio };
  assert.equal(shown, Object.entries(marks));
});

test.run();
