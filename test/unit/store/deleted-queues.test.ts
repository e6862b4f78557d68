/** Deleted topics' files: out of the way at once, gone later, and never in the way of a topic made again. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { topicNameProblem } from '../../../src/lib/names.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { DeletedQueues, removeDeletedQueues } from '../../../src/store/queue/deleted-queues.ts';
import { listQueues } from '../../../src/store/recovery/queue-recovery.ts';

const test = suite('deleted queues');
let root = '';

test.before.each(() => {
  root = mkdtempSync(join(tmpdir(), 'ringmq-queues-'));
});

test.after.each(() => rmSync(root, { recursive: true, force: true }));

function makeTopic(topic: string): void {
  mkdirSync(join(root, topic, '0'), { recursive: true });
  writeFileSync(join(root, topic, '0', '00000000000000000000'), topic);
}

function place(): string {
  const [name] = readdirSync(root).filter((name) => topicNameProblem(name) !== undefined);
  assert.ok(name !== undefined, 'what was moved lies where no topic can be');
  return join(root, name);
}

test('a topic is moved with one call, and made again without finding anything of the old one', async () => {
  const deleted = new DeletedQueues(nativeDisk, root);
  for (let round = 0; round < 3; round++) {
    makeTopic('123');
    makeTopic('kept');
    deleted.moveAway('123');
    assert.equal(
      listQueues(nativeDisk, root).map(({ topic }) => topic),
      ['kept'],
      'nothing of it passes for a queue',
    );
  }
  assert.is(readdirSync(place()).length, 3);
  await removeDeletedQueues(root);
  assert.equal(readdirSync(place()), []);
  assert.is(listQueues(nativeDisk, root).length, 1);
});

test('what an earlier run has left is not mixed with what this one deletes, and is removed with it', async () => {
  for (let run = 0; run < 2; run++) {
    makeTopic('t');
    new DeletedQueues(nativeDisk, root).moveAway('t');
  }
  assert.is(readdirSync(place()).length, 2);
  await removeDeletedQueues(root);
  assert.equal(readdirSync(place()), []);
});

test('a topic without files, and a store that never deleted anything', async () => {
  new DeletedQueues(nativeDisk, root).moveAway('never-sent-to');
  await removeDeletedQueues(root);
  await removeDeletedQueues(join(root, 'missing'));
  assert.equal(readdirSync(root), []);
});

test('where the folder cannot be moved it is removed on the spot', () => {
  makeTopic('t');
  const deleted = new DeletedQueues(
    {
      ...nativeDisk,
      setAside: () => {
        throw new Error('not across mounts');
      },
    },
    root,
  );
  deleted.moveAway('t');
  assert.equal(listQueues(nativeDisk, root), []);
  assert.not(readdirSync(root).includes('t'));
});

test.run();
