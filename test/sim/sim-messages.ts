/** The messages of a simulated run: every form that a record can have, by chance. */
import { recordSize } from '../../src/record/layout.ts';
import type { Random } from '../support/random.ts';
import type { Draft } from './store-model.ts';

export const TOPICS = ['orders', 'bills', 'x'.repeat(130), 'SCHEDULE_TOPIC_XXXX'];
/** Less than the smallest file of the log. */
const BATCH_BYTES = 64 * 1024;
const TAGS = ['', 'TagA', 'TagB', '中文'];

export class SimMessages {
  readonly #random: Random;
  /** In some runs all records have one size, so that stale ones lie exactly where new ones end. */
  readonly #recordSize: number | undefined;
  /** Random bytes to cut bodies from. */
  readonly #bytes: Uint8Array;
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#recordSize = random.pick([undefined, 512, 4096]);
    this.#bytes = random.bytes(4096);
  }

  /** So many messages, or as many of them as fit into a file of the log at once. */
  batch(count: number, topic: string, queueId: number, now: number): Draft[] {
    const drafts: Draft[] = [];
    let left = BATCH_BYTES;
    for (let n = 0; n < count; n++) {
      const draft = this.draft(topic, queueId, now);
      const { body, properties } = draft;
      // A host of IPv6 takes 12 bytes more.
      left -= recordSize(body.length, topic.length, Buffer.byteLength(properties), 0) + 12;
      if (left < 0) break;
      drafts.push(draft);
    }
    return drafts;
  }

  draft(topic: string, queueId: number, now: number): Draft {
    const random = this.#random;
    const v6 = this.#recordSize === undefined && random.chance(0.2);
    const bornHost = { address: v6 ? random.bytes(16) : Uint8Array.of(10, 0, 0, 9), port: 50000 };
    const uniqueKey = `ID${String(this.#made++).padStart(8, '0')}`;
    const keys = random.chance(0.5) ? [`key-${random.int(0, 9)}`] : [];
    const tag = random.pick(TAGS);
    let properties = `UNIQ_KEY\x01${uniqueKey}\x02`;
    if (keys.length > 0) properties += `KEYS\x01${keys.join(' ')}\x02`;
    if (tag !== '') properties += `TAGS\x01${tag}\x02`;
    if (random.chance(0.2)) properties += `DELAY\x01${random.int(1, 20)}\x02`;
    // Producers could put a NUL into a property once, and old stores hold such messages.
    if (random.chance(0.05)) properties += `odd\x01a${'\0'.repeat(random.int(1, 200))}b\x02`;
    // Longer than a page: a power cut can take the middle of it.
    if (this.#recordSize === undefined && random.chance(0.05)) {
      properties += `long\x01${'x'.repeat(random.int(1000, 12_000))}\x02`;
    }
    const largest = random.chance(0.03) ? 20_000 : 900;
    return {
      head: {
        queueId,
        flag: random.int(0, 3),
        sysFlag: 0,
        bornTimestamp: now - 5,
        bornHost,
        storeHost: { address: Uint8Array.of(10, 0, 0, 1), port: 10911 },
        reconsumeTimes: 0,
        preparedTransactionOffset: 0,
      },
      body: this.#body(this.#evenBody(topic, properties) ?? random.int(0, largest)),
      properties,
      uniqueKey,
      keys,
      tag,
    };
  }

  #body(length: number): Uint8Array {
    const body = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const from = this.#random.int(0, this.#bytes.length - 1);
      const piece = this.#bytes.subarray(from, Math.min(this.#bytes.length, from + length - at));
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }

  /** Length of the body that makes all records of a run equally long. */
  #evenBody(topic: string, properties: string): number | undefined {
    if (this.#recordSize === undefined) return undefined;
    return Math.max(0, this.#recordSize - recordSize(0, topic.length, Buffer.byteLength(properties), 0));
  }
}
