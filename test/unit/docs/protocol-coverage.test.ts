/** docs/protocol-coverage.md names exactly the request codes that are served, each under its own name. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerContext } from '../../../src/broker/context.ts';
import { createHandlers } from '../../../src/broker/handlers.ts';
import { noLog } from '../../../src/lib/log.ts';
import { nameServerHandlers } from '../../../src/namesrv/handlers.ts';
import type { NameServerState } from '../../../src/namesrv/state.ts';
import { RequestCode, requestName } from '../../../src/protocol/codes.ts';
import { readProjectFile } from '../../support/source-files.ts';

const test = suite('protocol coverage');
const page = readProjectFile('docs/protocol-coverage.md');

/** Codes of the rows under a heading; a row whose name is not that of its code fails. */
function codesUnder(heading: string): number[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| (\d+) \| ([A-Z0-9_]+) \|/gm)].map(([, code, name]) => {
    assert.is(name, requestName(Number(code)));
    return Number(code);
  });
}

const ascending = (codes: Iterable<number>) => [...codes].sort((a, b) => a - b);

/** Codes that the network threads pick out of their frames. */
function networkCodes(): number[] {
  const names = readProjectFile('src/threads/network/network-agent.ts').matchAll(/case RequestCode\.(\w+):/g);
  return [...names].map(([, name]) => RequestCode[name as keyof typeof RequestCode]);
}

test('network threads', () => {
  assert.equal(ascending(codesUnder('Broker: network')), ascending(networkCodes()));
});

test('control', () => {
  const served = createHandlers({} as BrokerContext, { audit: noLog, slowMillis: 0 }).keys();
  assert.equal(ascending(codesUnder('Broker: control')), ascending(served));
});

test('name server', () => {
  const served = nameServerHandlers({} as NameServerState, noLog).keys();
  assert.equal(ascending(codesUnder('Name server')), ascending(served));
});

test.run();
