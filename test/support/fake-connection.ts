/** A connection whose socket only remembers what was written. */
import type { Socket } from 'node:net';
import { Connection } from '../../src/net/connection.ts';
import { OutputPool } from '../../src/net/output-pool.ts';
import type { RemotingCommand } from '../../src/protocol/command.ts';
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import type { HostAddress } from '../../src/record/message-id.ts';
import { BORN_HOST } from './messages.ts';

const pool = new OutputPool();

export interface FakeConnection {
  connection: Connection;
  /** Flushes and returns the commands written since the last call. */
  replies(): RemotingCommand[];
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
  return {
    connection,
    replies() {
      connection.flush();
      const bytes = Buffer.concat(written);
      written = [];
      return framesOf(bytes).map((frame) => decodeCommand(frame));
    },
  };
}

/** Frames without their length fields; fails when the bytes do not end with a frame. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readInt32BE(at);
    if (at + 4 + length > bytes.length) throw new Error('the replies end in the middle of a frame');
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}
