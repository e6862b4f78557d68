/** Answers of success from templates, byte by byte against the general encoder. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SuccessAnswers } from '../../../src/broker/success-answers.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { fakeConnection } from '../../support/fake-connection.ts';

const test = suite('success answers');

test('any opaque in either form is answered as the general encoder would', () => {
  const answers = new SuccessAnswers();
  const client = fakeConnection();
  const opaques = [0, 7, 9, 10, 99_999, 2147483647, -1, -9, -10, -2147483648, 12_345, 54_321, 1];
  for (const opaque of [...opaques, ...opaques.toReversed()]) {
    for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY]) {
      answers.write(client.connection, opaque, serializeType === SERIALIZE_BINARY);
      const expected = encodeCommand(responseTo({ opaque, serializeType }, 0));
      assert.equal(client.frames(), [expected], `${opaque}`);
    }
  }
});

test.run();
