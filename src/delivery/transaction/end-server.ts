/** The delivery agent's end of the ways by which network threads bring ends of transactions, and get the answers. */
import { MAX_CHANNEL_BACKLOG_BYTES } from '../../lib/limits.ts';
import { ChannelReceiver, ChannelSender, type ChannelShape } from '../../ring/channel.ts';
import {
  END_ANSWERS_CHECK,
  END_BINARY,
  END_COMMITS,
  END_HEAD,
  END_ONEWAY,
  ENDED,
  ENDED_HEAD,
  emptyEnd,
  emptyEnded,
  readEnd,
  writeEnded,
} from '../../ring/end-records.ts';
import { wakerOf } from '../../ring/wake.ts';
import type { BrokerShape } from '../../store/engine-shapes.ts';
import type { Ends } from './ends.ts';

/** Between a network thread and the delivery agent. */
export interface EndsShape {
  up: ChannelShape;
  down: ChannelShape;
}

interface Link {
  readonly up: ChannelReceiver;
  readonly down: ChannelSender;
}

const NOTHING = new Uint8Array(0);

/** Of one thread in one turn. */
const TOGETHER = 64;

export class EndServer {
  readonly #links: readonly Link[];
  readonly #ends: Ends;
  readonly #taken = emptyEnd();
  readonly #answered = emptyEnded();

  /** `shapes`: by number of the network thread. */
  constructor(shapes: readonly EndsShape[], { wakes, participants }: BrokerShape, ends: Ends) {
    this.#ends = ends;
    this.#links = shapes.map(({ up, down }, index) => {
      // In one thread it has its turn after this one, and needs no bell.
      const isHere = participants[index]?.sameThread === true && wakes.delivery === wakes.network[index];
      const wake = isHere
        ? () => {}
        : wakerOf(wakes.network[index] as NonNullable<(typeof wakes.network)[0]>);
      return {
        up: ChannelReceiver.join(up, wake),
        down: ChannelSender.join(down, wake, MAX_CHANNEL_BACKLOG_BYTES),
      };
    });
  }

  get pending(): boolean {
    return this.#links.some(({ up, down }) => up.pending && !down.overfull);
  }

  /** Takes ends while there is room for what they lead to, each thread's by turns; returns how many. */
  serve(mayTake: () => boolean): number {
    let done = 0;
    for (const link of this.#links) {
      for (let i = 0; i < TOGETHER && mayTake() && !link.down.overfull && link.up.next(); i++) {
        this.#take(link);
        done++;
      }
      link.up.release();
    }
    this.publish();
    return done;
  }

  publish(): void {
    for (const { down } of this.#links) down.publish();
  }

  #take({ up, down }: Link): void {
    const { view, bytes, offset, length } = up;
    readEnd(view, offset, this.#taken);
    const { slot, generation, opaque, flags, logOffset, queueOffset } = this.#taken;
    const isOneway = (flags & END_ONEWAY) !== 0;
    this.#ends.take({
      commits: (flags & END_COMMITS) !== 0,
      answersCheck: (flags & END_ANSWERS_CHECK) !== 0,
      waits: !isOneway,
      logOffset,
      queueOffset,
      group: Buffer.from(bytes.subarray(offset + END_HEAD, offset + length)).toString(),
      answer: (code, remark) => {
        if (isOneway) return;
        const text = remark === '' ? NOTHING : Buffer.from(remark);
        const ended = this.#answered;
        ended.slot = slot;
        ended.generation = generation;
        ended.opaque = opaque;
        ended.flags = flags & END_BINARY;
        ended.code = code;
        down.post(ENDED, ENDED_HEAD + text.length, (target, to, at) => {
          writeEnded(to, at, ended);
          target.set(text, at + ENDED_HEAD);
        });
      },
    });
  }
}
