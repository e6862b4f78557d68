/** A connection whose socket only remembers what was written. */
import type { Socket } from 'node:net';
import { Connection } from '../../src/net/connection.ts';
import { OutputPool } from '../../src/net/output-pool.ts';
import type { RemotingCommand } from '../../src/protocol/command.ts';
import { decodeCommand, LENGTH_BYTES } from '../../src/protocol/command-codec.ts';
import type { HostAddress } from '../../src/record/message-id.ts';
import { BORN_HOST } from './messages.ts';

const pool = new OutputPool();

export interface FakeConnection {
  connection: Connection;
  /** Flushes and returns the commands written since the last call. */
  replies(): RemotingCommand[];
  /** The same as bytes, with their length fields. */
  frames(): Buffer[];
}

export function fakeConnection(slot = 0, generation = 1, host: HostAddress = BORN_HOST): FakeConnection {
  let written: Buffer[] = [];
  const socket = {
    writableLength: 0,
    write(bytes: Uint8Array) {
      written.push(Buffer.from(bytes));
      return true;
    },
  } as unknown as Socket;
  const identity = { slot, generation, host, remoteAddress: '10.0.0.9:50000' };
  const connection = new Connection(socket, identity, pool, 0);
  const frames = () => {
    connection.flush();
    const bytes = Buffer.concat(written);
    written = [];
    return framesOf(bytes);
  };
  const replies = () => frames().map((frame) => decodeCommand(frame.subarray(LENGTH_BYTES)));
  return { connection, replies, frames };
}

/** Frames with their length fields; fails when the bytes do not end with a frame. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readInt32BE(at);
    if (at + LENGTH_BYTES + length > bytes.length)
      throw new Error('the replies end in the middle of a frame');
    frames.push(bytes.subarray(at, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return frames;
}
