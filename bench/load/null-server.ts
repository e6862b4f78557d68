/**
 * About the fastest server that Node can offer: answers each frame with the same success reply and stores nothing.
 * What the generator reaches here is the rate up to which a measured broker, and not the generator, is the limit.
 */
import net from 'node:net';
import { parseArgs } from 'node:util';
import { writeDecimal } from './digits.ts';
import { ReplyScanner } from './reply-scanner.ts';

const HEAD =
  '{"code":0,"extFields":{"queueId":"0","transactionId":"7F000001000000010000000000000000","msgId":' +
  '"7F00000100002A9F0000000000000000","queueOffset":"1000000000","TRACE_ON":"true","MSG_REGION":"DefaultRegion"},' +
  '"flag":1,"language":"JAVA","opaque":';
const TAIL = ',"serializeTypeCurrentRPC":"JSON","version":513}';
const OPAQUE_DIGITS = 10;

/** A whole reply frame with ten zeros for the opaque: the generator's opaques always have ten digits. */
function replyTemplate(): Buffer {
  const header = Buffer.from(HEAD + '0'.repeat(OPAQUE_DIGITS) + TAIL, 'latin1');
  const frame = Buffer.alloc(8 + header.length);
  frame.writeUInt32BE(4 + header.length, 0);
  frame.writeUInt32BE(header.length, 4);
  header.copy(frame, 8);
  return frame;
}

const template = replyTemplate();
const opaqueAt = 8 + HEAD.length;
const receiveBuffer = Buffer.alloc(128 << 10);
/** Room for the replies to the smallest frames (a little over 300 bytes) of one full read. */
const REPLIES_PER_READ = 1024;

class Answerer {
  readonly #socket: net.Socket;
  readonly #scanner = new ReplyScanner((_code, opaque) => this.#answer(opaque));
  #replies = this.#newReplies();
  #count = 0;

  constructor(socket: net.Socket) {
    this.#socket = socket;
  }

  read(bytes: number): boolean {
    this.#scanner.push(receiveBuffer, bytes);
    this.#flush();
    return true;
  }

  #newReplies(): Buffer {
    const replies = Buffer.alloc(template.length * REPLIES_PER_READ);
    for (let index = 0; index < REPLIES_PER_READ; index++) replies.set(template, index * template.length);
    return replies;
  }

  #answer(opaque: number): void {
    writeDecimal(this.#replies, this.#count * template.length + opaqueAt, OPAQUE_DIGITS, opaque);
    this.#count++;
    if (this.#count === REPLIES_PER_READ) this.#flush();
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#socket.write(this.#replies.subarray(0, this.#count * template.length));
    this.#count = 0;
    // what the kernel did not take at once is still being read from the buffer
    if (this.#socket.writableLength > 0) this.#replies = this.#newReplies();
  }
}

interface SocketInternals {
  _handle: { reading: boolean; readStop(): void } | null;
}

/** Moves an accepted socket to the shared receive buffer; Node offers that publicly for outgoing sockets only. */
function withReceiveBuffer(accepted: net.Socket, answer: (socket: net.Socket) => Answerer): net.Socket {
  const internals = accepted as unknown as SocketInternals;
  const handle = internals._handle;
  if (handle === null) return accepted;
  handle.readStop();
  handle.reading = false;
  internals._handle = null;
  let answerer: Answerer | undefined;
  const options = {
    handle,
    onread: { buffer: receiveBuffer, callback: (bytes: number) => answerer?.read(bytes) ?? true },
  };
  const socket = new net.Socket(options as net.SocketConstructorOpts);
  answerer = answer(socket);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.read(0);
  socket.resume();
  return socket;
}

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const server = net.createServer((accepted) => {
  withReceiveBuffer(accepted, (socket) => new Answerer(socket));
});
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as net.AddressInfo;
  process.stdout.write(`null server ready: 127.0.0.1:${port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
