/** What is true of a transaction in the simulation, and what may happen to it. */
import * as assert from 'uvu/assert';
import { halfOf } from '../../src/delivery/transaction/half-message.ts';
import type { StoredMessage } from '../../src/record/decode.ts';
import type { InternalMessage } from '../../src/store/put/put-message.ts';
import { SETTINGS } from '../support/transaction-rig.ts';
import { SIM_HOST } from './sim-machine.ts';

export const DUE_TOPIC = 'due';

export interface Place {
  logOffset: number;
  queueOffset: number;
}

/** As a network thread puts it. `forged`: what its sender says that it is a copy of. */
export function halfMessage(key: string, group: string, immunityMs: number, forged: number | undefined) {
  const properties = new Map([
    ['TRAN_MSG', 'true'],
    ['PGROUP', group],
    ['UNIQ_KEY', key],
  ]);
  if (immunityMs > 0) properties.set('CHECK_IMMUNITY_TIME_IN_SECONDS', String(immunityMs / 1_000));
  if (forged !== undefined) properties.set('TRAN_PREPARED_QUEUE_OFFSET', String(forged));
  const message: InternalMessage = {
    ...{ topic: DUE_TOPIC, queueId: 0, body: Buffer.from(key), properties, flag: 0, sysFlag: 0 },
    ...{ bornTimestamp: 1, bornHost: SIM_HOST, reconsumeTimes: 0, preparedTransactionOffset: 0 },
  };
  return halfOf(message);
}

interface Beginning {
  key: string;
  group: string;
  /** What its producer will always say. */
  outcome: 'commit' | 'roll back' | 'unknown';
  immunityMs: number;
  place: Place;
  /** Position behind its record. */
  end: number;
  sentAt: number;
}

export class SimTransaction {
  readonly key: string;
  readonly group: string;
  readonly outcome: Beginning['outcome'];
  readonly immunityMs: number;
  readonly place: Place;
  readonly end: number;
  readonly #sentAt: number;
  /** Of its newest copy. */
  newest: Place;
  isDurable = false;
  /** Ends that its producer has sent, and what it was told of them. */
  commits = 0;
  rollbacks = 0;
  committed = false;
  rolledBack = false;
  #asked = 0;
  deliveries = 0;
  givenUp = false;
  /** Since before the broker was started last. */
  isLongGivenUp = false;
  /** The machine or the process has died since. */
  hasSeenCrash = false;
  #hasLostPower = false;
  /** No restart or step of the clock since. */
  timesAreSure = true;
  clockIsRight = true;

  constructor(beginning: Beginning) {
    const { key, group, outcome, immunityMs, place, end, sentAt } = beginning;
    this.key = key;
    this.group = group;
    this.outcome = outcome;
    this.immunityMs = immunityMs;
    this.place = place;
    this.end = end;
    this.#sentAt = sentAt;
    this.newest = place;
  }

  /** As far as its producer and its readers can tell. */
  get hasEnded(): boolean {
    return this.deliveries > 0 || this.rollbacks > 0 || this.givenUp;
  }

  /** Its producer is asked. */
  checked(newest: Place, message: StoredMessage, now: number): void {
    const { key } = this;
    assert.equal(newest, this.newest, 'the copy that the check has made is named');
    this.#asked += 1;
    assert.is(message.topic, DUE_TOPIC);
    assert.ok(!this.rolledBack, `${key} is asked about after its rollback was answered`);
    assert.ok(this.hasSeenCrash || !this.committed, `${key} is asked about after its commit was answered`);
    assert.ok(!this.givenUp || this.hasSeenCrash, `${key} is asked about although it was given up`);
    const { transactionCheckMax, transactionTimeOut } = SETTINGS;
    const isTooOften = this.#asked > transactionCheckMax && !this.#hasLostPower;
    assert.not.ok(isTooOften, `${key} is asked about ${this.#asked} times`);
    const soonest = this.immunityMs > 0 && this.timesAreSure && this.clockIsRight ? this.immunityMs : 0;
    const early = this.#sentAt + Math.max(transactionTimeOut, soonest) - now;
    assert.ok(early <= 0, `${key} is asked about ${early} ms early`);
  }

  /** `isCrowded`: more may be open than are kept in mind. */
  givesUp({ properties }: InternalMessage, isCrowded: boolean, checks: number): void {
    const times = Number(properties.get('TRANSACTION_CHECK_TIMES') ?? 0);
    assert.ok(isCrowded || times >= checks, `${this.key} is given up after ${times} checks`);
    this.givenUp = true;
  }

  /** Its end is; what was given up may still be ended. */
  refused(remark: string): void {
    const isDone = this.outcome !== 'commit' || this.deliveries > 0;
    assert.ok(isDone, `${this.key} is nowhere, and its commit is refused: ${remark}`);
  }

  delivered({ topic, queueId, properties }: InternalMessage): void {
    const { key } = this;
    assert.equal([topic, queueId, properties.get('UNIQ_KEY')], [DUE_TOPIC, 0, key]);
    assert.ok(this.commits > 0, `${key} is delivered, and nobody has committed it`);
    this.deliveries += 1;
    if (this.deliveries > 1) assert.ok(this.hasSeenCrash, `${key} comes twice without a crash`);
  }

  /** A check or a move has put one. */
  copied(place: Place): void {
    if (place.queueOffset > this.newest.queueOffset) this.newest = place;
  }

  /** What has become of it is to be found anew. */
  losePower(): void {
    this.hasSeenCrash = true;
    this.#hasLostPower = true;
    this.timesAreSure = false;
    this.deliveries = 0;
    this.givenUp = false;
    this.newest = this.place;
  }

  /** It is found in the topic that it was for, or in that of what was given up. */
  survives(topic: string): void {
    if (topic === DUE_TOPIC) this.deliveries += 1;
    else this.givenUp = true;
  }

  /** What was answered under SYNC_FLUSH outlasts a power cut. */
  checkSurvivors(flushDiskType: 'SYNC_FLUSH' | 'ASYNC_FLUSH'): void {
    if (flushDiskType === 'SYNC_FLUSH') {
      if (this.committed)
        assert.ok(this.deliveries > 0, `${this.key} was committed, and a power cut took it`);
      return;
    }
    this.rolledBack = false;
    this.committed &&= this.deliveries > 0;
  }
}
