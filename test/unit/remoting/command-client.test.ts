import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { CommandClient } from '../../../src/remoting/command-client.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import type { ClientConnection, ControlHandler } from '../../../src/remoting/connection.ts';
import { RemotingError } from '../../../src/remoting/errors.ts';
import { eventually } from './support.ts';

interface Context {
  server: CommandServer;
  client: CommandClient;
  connections: Set<ClientConnection>;
  oneways: number;
  disconnects: string[];
}

const ECHO = 1;
const NEVER = 2;
const ASK_BACK = 3;

const test = suite<Context>('command client');

function handler(context: Context): ControlHandler {
  return async (request, connection) => {
    context.connections.add(connection);
    if (request.flag !== 0) context.oneways += 1;
    if (request.code === NEVER) return undefined;
    if (request.code === ASK_BACK) {
      const answer = await connection.request(requestCommand(9, { question: 'who?' }), 1000);
      return responseTo(request, 0, answer.remark);
    }
    const delay = Number(request.fields['delay'] ?? 0);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    return responseTo(request, 0, undefined, request.fields);
  };
}

test.before.each(async (context) => {
  context.connections = new Set();
  context.oneways = 0;
  // Sockets of the test before may still report their end: to its list, not to this one.
  const disconnects: string[] = [];
  context.disconnects = disconnects;
  context.server = await startCommandServer({ host: '127.0.0.1', port: 0, handler: handler(context) });
  context.client = new CommandClient({
    address: `127.0.0.1:${context.server.port}`,
    handler: (request) => responseTo(request, 0, `asked ${request.fields['question']}`),
    onDisconnect: () => disconnects.push('lost'),
  });
});

test.after.each(async ({ client, server }) => {
  client.close();
  await server.close();
});

test('requests share one connection and are matched by number', async ({ client, connections }) => {
  assert.not(client.connected);
  const delays = ['30', '0', '15', '5'];
  const answers = await Promise.all(
    delays.map((delay) => client.request(requestCommand(ECHO, { delay }), 1000)),
  );
  assert.equal(
    answers.map((answer) => answer.fields['delay']),
    delays,
  );
  assert.is(connections.size, 1);
  assert.ok(client.connected);
});

test('no answer in time', async ({ client }) => {
  await rejects(client.request(requestCommand(NEVER), 20), 'TIMEOUT');
  assert.is((await client.request(requestCommand(ECHO), 1000)).code, 0);
});

test('a lost connection fails what is on its way; the next use dials again', async (context) => {
  const { client, connections } = context;
  const pending = client.request(requestCommand(NEVER), 1000);
  await eventually(() => connections.size === 1);
  for (const connection of connections) connection.close();
  await rejects(pending, 'CLOSED');
  await eventually(() => context.disconnects.length === 1);
  assert.is((await client.request(requestCommand(ECHO), 1000)).code, 0);
  assert.is(connections.size, 2);
});

test('one-way', async (context) => {
  await context.client.sendOneway(requestCommand(ECHO));
  await eventually(() => context.oneways === 1);
});

test('the peer asks us', async ({ client }) => {
  assert.is((await client.request(requestCommand(ASK_BACK), 1000)).remark, 'asked who?');
});

test('nobody listens', async ({ client, server }) => {
  await server.close();
  await rejects(client.request(requestCommand(ECHO), 1000), 'CONNECT');
  await rejects(client.sendOneway(requestCommand(ECHO)), 'CONNECT');
});

test('closed for good', async ({ client }) => {
  const pending = client.request(requestCommand(NEVER), 1000);
  await client.request(requestCommand(ECHO), 1000);
  client.close();
  await rejects(pending, 'CLOSED');
  await rejects(client.request(requestCommand(ECHO), 1000), 'CLOSED');
});

test('closing ends a dial', async () => {
  const client = new CommandClient({ address: '192.0.2.1:9', connectTimeoutMs: 5000 });
  const pending = client.request(requestCommand(ECHO), 5000);
  client.close();
  await rejects(pending, 'CONNECT');
});

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, RemotingError);
    assert.is((error as RemotingError).code, code);
    return;
  }
  assert.unreachable('the promise should have been rejected');
}

test.run();
