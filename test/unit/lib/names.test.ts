import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  groupNameProblem,
  groupOfRetryTopic,
  isNotSendableTopic,
  topicNameProblem,
} from '../../../src/lib/names.ts';

const test = suite('names');

test('topics: 127 characters, 255 for derived ones', () => {
  assert.is(topicNameProblem('%RETRY%a|b-c_D9'), undefined);
  assert.is(topicNameProblem('x'.repeat(127)), undefined);
  assert.is(
    topicNameProblem('x'.repeat(128)),
    `The specified topic: ${'x'.repeat(128)}, is longer than topic max length: 127`,
  );
  assert.is(topicNameProblem(`%DLQ%${'x'.repeat(250)}`), undefined);
  assert.match(topicNameProblem(`%DLQ%${'x'.repeat(251)}`) ?? '', /longer than topic max length: 255$/);
  assert.is(topicNameProblem(undefined), 'The specified topic is blank.');
  assert.match(topicNameProblem('a+b') ?? '', /contains illegal characters/);
});

test('groups: 120 characters', () => {
  assert.is(groupNameProblem('x'.repeat(120)), undefined);
  assert.match(groupNameProblem('x'.repeat(121)) ?? '', /longer than group max length: 120$/);
  assert.match(groupNameProblem('ä') ?? '', /^The specified group: ä, contains illegal characters/);
});

test('the group of a retry topic', () => {
  assert.is(groupOfRetryTopic('%RETRY%g'), 'g');
  assert.is(groupOfRetryTopic('%RETRY%g+t'), 'g');
  assert.is(groupOfRetryTopic('%RETRY%g_t'), 'g_t');
});

test('what clients may not send to', () => {
  assert.ok(isNotSendableTopic('SCHEDULE_TOPIC_XXXX'));
  assert.not.ok(isNotSendableTopic('TBW102'));
});

test.run();
