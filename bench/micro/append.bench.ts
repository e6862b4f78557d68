/** Appending to the CommitLog, in a file whose pages are in memory and in fresh ones. */
import { join } from 'node:path';
import { addon } from '../../src/native/addon.ts';
import { attachBulk, type Bulk } from '../../src/ring/bulk.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { APPENDED_OK } from '../../src/store/log/commit-log.ts';
import { LOG_FILE_BYTES, openLog, queueIdOf, sampleRecord } from './fixtures.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const BATCH = 256;
const PLACE = 4096;

/** Records in memory that the addon knows, one to each page, as in a ring. */
function sourceRegion(record: Uint8Array): Bulk {
  const bulk = attachBulk(addon.allocateRegion(BATCH * PLACE));
  for (let i = 0; i < BATCH; i++) bulk.bytes.set(record, i * PLACE);
  return bulk;
}

/** `renew` is called when the file is nearly full. */
function appending(name: string, folder: string, renew: 'again' | 'fresh'): Subject {
  const record = sampleRecord(1);
  const source = sourceRegion(record);
  let bench = openLog(folder);
  return {
    name: `CommitLog.append, ${record.length} bytes, ${name}`,
    batch: BATCH,
    prepare: () => {
      if (bench.log.position + BATCH * PLACE < LOG_FILE_BYTES) return;
      if (renew === 'again') {
        bench.log.position = 0;
        return;
      }
      bench.segments.close();
      nativeDisk.remove(folder);
      bench = openLog(folder);
    },
    run: repeat(BATCH, (i) => {
      const status = bench.log.append(source, i * PLACE, record.length, queueIdOf(i & 3));
      if (status !== APPENDED_OK) throw new Error(`not appended: ${status}`);
      return bench.log.queueOffset;
    }),
  };
}

function publishing(folder: string): Subject {
  const { log } = openLog(folder);
  return {
    name: 'CommitLog.publish, once per drain',
    batch: 200,
    run: repeat(200, () => {
      log.publish();
      return 1;
    }),
  };
}

export function open(folder: string): Suite {
  return {
    subjects: [
      appending('pages in memory', join(folder, 'warm'), 'again'),
      appending('pages never touched', join(folder, 'fresh'), 'fresh'),
      publishing(join(folder, 'publish')),
    ],
  };
}
