/** Static topics of RocketMQ: those that read the same without their mapping are served, others end the start. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StateFileError } from '../../../src/metadata/state-file.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('static topics');

const PLAIN = { gen: 0, queueId: 0, bname: 'broker-a', logicOffset: 0, startOffset: 0, endOffset: -1 };

/** As RocketMQ writes it: numbers are names of members without quotes. */
function mapping(hostedQueues: string): string {
  const detail = `{"topic":"mapped","totalQueues":2,"bname":"broker-a","epoch":1,"hostedQueues":${hostedQueues}}`;
  return `{"dataVersion":{"counter":1},"topicQueueMappingInfoMap":{"mapped":${detail}}}`;
}

function load(text?: string): void {
  const directory = temporaryDirectory();
  mkdirSync(directory, { recursive: true });
  if (text !== undefined) writeFileSync(join(directory, 'topicQueueMapping.json'), text);
  new TopicTable(directory, testSettings(), new FakeTime()).load();
}

test('a topic whose queues keep their numbers is one like any other', () => {
  load();
  load('{"dataVersion":{},"topicQueueMappingInfoMap":{}}');
  load(mapping(`{0:[${JSON.stringify(PLAIN)}],1:[${JSON.stringify({ ...PLAIN, queueId: 1 })}]}`));
});

test('a start that would show other messages is refused, with the topic and the file', () => {
  const wrong = [
    [{ ...PLAIN, queueId: 1 }],
    [{ ...PLAIN, bname: 'broker-b' }],
    [{ ...PLAIN, logicOffset: 100 }],
    [{ ...PLAIN, logicOffset: -1 }],
    [{ ...PLAIN, startOffset: 5 }],
    [{ ...PLAIN, startOffset: {} }],
    [{ ...PLAIN, queueId: [0] }],
    [PLAIN, { ...PLAIN, gen: 1, bname: 'broker-b', logicOffset: 100 }],
    [],
  ];
  for (const items of wrong) {
    const text = mapping(`{0:${JSON.stringify(items)}}`);
    assert.throws(
      () => load(text),
      (error: unknown) =>
        error instanceof StateFileError &&
        /topicQueueMapping\.json: mapped is a static topic/.test(error.message),
      text,
    );
  }
  assert.throws(() => load('{"topicQueueMappingInfoMap":[]}'), /is no table/);
});

test.run();
