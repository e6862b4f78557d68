// The same program as java/grpc-5.2 (commands, arguments and output) on the official gRPC client for Node.js.

import { createInterface } from 'node:readline';
import client from 'rocketmq-client-nodejs';
import { crc32, LOGGER } from './helpers.mjs';

const UNICODE = 'grüße-汉字';
const SQL = 2;
const RESOLUTIONS = { commit: 1, rollback: 2, unknown: 0 };

const program = named(process.argv.slice(2));
const clients = new Map();

function event(name, fields) {
  process.stdout.write(`${JSON.stringify({ event: name, ...fields })}\n`);
}

/** Command line of the form --name value. */
function named(words) {
  const values = {};
  for (let i = 0; i < words.length; i += 2) values[words[i].slice(2)] = words[i + 1];
  return values;
}

function options(more) {
  const connection = { endpoints: program.endpoints, namespace: '', sslEnabled: program.tls === 'true' };
  return { ...connection, requestTimeout: 10_000, logger: LOGGER, ...more };
}

function describe(message) {
  const properties = Object.fromEntries(message.properties);
  return {
    key: message.keys.join(' '),
    topic: message.topic,
    tag: message.tag || null,
    messageId: message.messageId,
    messageGroup: message.messageGroup || null,
    deliveryTime: message.deliveryTimestamp?.getTime() ?? null,
    priority: message.priority ?? null,
    attempt: message.deliveryAttempt,
    bornTime: message.bornTimestamp?.getTime(),
    bodySize: message.body.length,
    intact: crc32(message.body) === properties.crc && properties.unicode === UNICODE,
    properties,
  };
}

function build({ topic, key, tag, body = 40, delay, priority, ...rest }) {
  const bytes = Buffer.from(`${key} `.repeat(body)).subarray(0, Number(body));
  const properties = new Map([
    ['crc', crc32(bytes)],
    ['unicode', UNICODE],
  ]);
  for (const name of ['check', 'number', 'colour']) if (name in rest) properties.set(name, rest[name]);
  return {
    topic,
    keys: [key],
    body: bytes,
    properties,
    ...(tag === undefined ? {} : { tag }),
    ...(delay === undefined ? {} : { delay: Number(delay) }),
    ...(priority === undefined ? {} : { priority: Number(priority) }),
    ...('message-group' in rest ? { messageGroup: rest['message-group'] } : {}),
  };
}

function facts({ messageId, recallHandle }) {
  return { messageId, recallHandle };
}

/** Blanks part the words of a command, so that they are written as underscores in an expression. */
function subscriptions({ topic, expression = '*', sql }) {
  const words = expression.replaceAll('_', ' ');
  return new Map([[topic, sql === 'true' ? new client.FilterExpression(words, SQL) : words]]);
}

/** KEY=TIMES,...: deliveries that fail; "*" stands for every key that is not named. */
function failing(text = '') {
  const left = new Map(
    text
      .split(',')
      .filter((part) => part !== '')
      .map((part) => [part.split('=')[0], Number(part.split('=')[1])]),
  );
  return (key) => {
    const times = left.get(key) ?? left.get('*') ?? 0;
    if (times > 0) left.set(key, times - 1);
    return times > 0;
  };
}

class Simple {
  #consumer;
  #received = new Map();

  constructor(args) {
    this.#consumer = new client.SimpleConsumer(
      options({
        consumerGroup: args.group,
        awaitDuration: Number(args.await ?? 3000),
        subscriptions: subscriptions(args),
      }),
    );
  }

  startup = () => this.#consumer.startup();
  shutdown = () => this.#consumer.shutdown();

  async receive(maximum, invisible) {
    const messages = await this.#consumer.receive(maximum, invisible);
    for (const message of messages) this.#received.set(message.keys.join(' '), message);
    return messages.map(describe);
  }

  ack = (key) => this.#consumer.ack(this.#received.get(key));
  invisible = (key, ms) => this.#consumer.changeInvisibleDuration(this.#received.get(key), ms);
}

function push(name, args) {
  const fails = failing(args.fail);
  return new client.PushConsumer(
    options({
      consumerGroup: args.group,
      subscriptions: subscriptions(args),
      messageListener: {
        async consume(message) {
          const ok = !fails(message.keys.join(' '));
          event('message', { client: name, ok, at: Date.now(), message: describe(message) });
          await new Promise((resolve) => setTimeout(resolve, Number(args.hold ?? 0)));
          return ok ? client.ConsumeResult.SUCCESS : client.ConsumeResult.FAILURE;
        },
      },
    }),
  );
}

function producer(topic) {
  const checker = {
    async check(message) {
      event('check', { client: program.name ?? '', message: describe(message) });
      return RESOLUTIONS[message.properties.get('check') ?? 'unknown'];
    },
  };
  return new client.Producer(options({ topics: [topic], checker }));
}

async function transact(sender, args) {
  const transaction = sender.beginTransaction();
  const receipt = await sender.send(build(args), transaction);
  if (args.end === 'commit') await transaction.commit();
  if (args.end === 'rollback') await transaction.rollback();
  return facts(receipt);
}

async function start(name, one) {
  await one.startup();
  clients.set(name, one);
}

async function close(name) {
  const one = clients.get(name);
  clients.delete(name);
  await one.shutdown();
}

const commands = {
  producer: ([name, topic]) => start(name, producer(topic)),
  push: ([name, ...args]) => start(name, push(name, named(args))),
  simple: ([name, ...args]) => start(name, new Simple(named(args))),
  close: async (names) => void (await Promise.all(names.map(close))),
  send: async ([name, ...args]) => facts(await clients.get(name).send(build(named(args)))),
  transact: ([name, ...args]) => transact(clients.get(name), named(args)),
  recall: async ([name, topic, handle]) => (await clients.get(name).recallMessage(topic, handle)).messageId,
  receive: ([name, maximum, invisible]) => clients.get(name).receive(Number(maximum), Number(invisible)),
  ack: ([name, key]) => clients.get(name).ack(key),
  invisible: ([name, key, ms]) => clients.get(name).invisible(key, Number(ms)),
};

event('ready');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break;
  const [command, ...words] = line.split(' ');
  try {
    event('answer', { question: line, result: (await commands[command](words)) ?? null });
  } catch (error) {
    const message = String(error.message);
    event('refused', {
      question: line,
      error: { type: error.constructor.name, code: error.code ?? -1, message },
    });
  }
}
await Promise.all([...clients.keys()].map(close));
event('done');
process.exit(0);
