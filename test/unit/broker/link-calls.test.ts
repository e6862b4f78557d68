/** Calls that control answers: what is counted of them, and who gets no answer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OTHER_CODE } from '../../../src/protocol/call-kinds.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { LinkRig } from '../../support/link-rig.ts';

const test = suite('calls of control');
const [ECHO, LATER, UNKNOWN] = [1, 2, 3] as const;

function rigWith(): LinkRig {
  const rig = new LinkRig();
  rig.handlers.set(ECHO, (request) => responseTo(request, 0));
  return rig;
}

test('a one-way request is carried out and gets no answer, whatever that would be', async () => {
  const rig = rigWith();
  rig.handlers.set(LATER, (request) => Promise.resolve(responseTo(request, ResponseCode.SYSTEM_ERROR)));
  const client = rig.connect(0);
  for (const [opaque, code] of [ECHO, LATER, UNKNOWN, ECHO].entries()) {
    const flag = opaque < 3 ? FLAG_ONEWAY : 0;
    client.sendFrame(encodeCommand({ ...requestCommand(code), opaque, flag }).subarray(4));
  }
  rig.read();
  await rig.run();
  assert.equal(client.opaques, [3]);
  const called = rig.called.map(([request, code, answer]) => [request.flag, code, answer]).sort();
  assert.equal(called, [
    [0, ECHO, 0],
    [FLAG_ONEWAY, OTHER_CODE, ResponseCode.REQUEST_CODE_NOT_SUPPORTED],
    [FLAG_ONEWAY, ECHO, 0],
    [FLAG_ONEWAY, LATER, ResponseCode.SYSTEM_ERROR],
  ]);
});

test('a call lasts from when its frame came to the network thread until its answer', async () => {
  const rig = rigWith();
  let answer = () => {};
  rig.handlers.set(
    LATER,
    (request) =>
      new Promise((resolve) => {
        answer = () => resolve(responseTo(request, 0));
      }),
  );
  const client = rig.connect(0);
  client.came = 100;
  rig.now = 130;
  client.ask(ECHO, 1);
  client.ask(LATER, 2);
  rig.read();
  await rig.run();
  rig.now = 400;
  answer();
  await rig.run();
  assert.equal(
    rig.called.map(([, code, , ms]) => [code, ms]),
    [
      [ECHO, 30],
      [LATER, 300],
    ],
  );
});

test.run();
