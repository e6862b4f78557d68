/**
 * What was sent to a master, what was promised of it, and which replicas have to have it.
 *
 * A message that is acknowledged is owed by the master and by every slave that has said to have it. A replica owes it
 * until it may have lost it: its disk is gone, or under ASYNC_FLUSH its power was cut before the message was durable
 * there. A message may be lost for good only when as many replicas have lost it as had it for certain, or when a master
 * that forgot it so was started again as the master.
 */
import * as assert from 'uvu/assert';
import type { SimReplica } from './sim-replica.ts';

interface Sent {
  readonly start: number;
  readonly end: number;
  /** As the master's log has it. */
  readonly record: Buffer;
  isAcknowledged: boolean;
  /** They had it, as safe as the mode promises. */
  readonly had: Set<SimReplica>;
  /** They have it still, or have broken a promise. */
  readonly owing: Set<SimReplica>;
  /** They have lost it, which they might, and have not got it again. */
  readonly losers: Set<SimReplica>;
}

export class Promises {
  acknowledged = 0;
  /** Acknowledged, and lost with all who had it, or with the power of an ASYNC_FLUSH master. */
  lost = 0;
  readonly #copies: number;
  /** All that the master's log holds, in its order. */
  #sent: Sent[] = [];

  /** `copies`: inSyncReplicas. */
  constructor(copies: number) {
    this.#copies = copies;
  }

  /** The master has appended a message. */
  append(master: SimReplica, start: number, end: number): void {
    const record = Buffer.from(master.bytes(start, end));
    const nobody = {
      had: new Set<SimReplica>(),
      owing: new Set<SimReplica>(),
      losers: new Set<SimReplica>(),
    };
    this.#sent.push({ start, end, record, isAcknowledged: false, ...nobody });
  }

  /** The slave says to have what lies before `position`. */
  reported(slave: SimReplica, position: number): void {
    // What a replica owes is all up to some message: it loses ends.
    for (let n = this.#sent.length - 1; n >= 0; n--) {
      const sent = this.#sent[n] as Sent;
      if (sent.end > position) continue;
      if (sent.owing.has(slave)) return;
      sent.had.add(slave);
      sent.owing.add(slave);
      sent.losers.delete(slave);
    }
  }

  /** Everything before `position` is answered with SEND_OK. */
  acknowledge(master: SimReplica, position: number): void {
    for (let n = this.#sent.length - 1; n >= 0; n--) {
      const sent = this.#sent[n] as Sent;
      if (sent.end > position) continue;
      if (sent.isAcknowledged) return;
      sent.isAcknowledged = true;
      this.acknowledged++;
      sent.owing.add(master);
      sent.had.add(master);
      const had = [...sent.had].map(({ name }) => name);
      assert.ok(
        had.length >= this.#copies,
        `acknowledged before ${sent.end}, and only ${had.join(' and ')} has had it, of ${this.#copies}`,
      );
    }
  }

  /** The replica has lost, or may have, what lies behind `position`. */
  forgets(replica: SimReplica, position: number): void {
    for (const { end, owing, losers } of this.#sent)
      if (end > position && owing.delete(replica)) losers.add(replica);
  }

  /** The replica has opened its log: what it owes is there. */
  opened(replica: SimReplica): void {
    for (const sent of this.#sent) {
      if (!sent.isAcknowledged || !sent.owing.has(replica)) continue;
      assert.ok(holds(replica, sent), `${replica.name} has lost an acknowledged message before ${sent.end}`);
    }
  }

  /** The slave is about to cut its log at `position`. */
  cuts(slave: SimReplica, position: number): void {
    const cut = this.#sent.find(
      ({ end, isAcknowledged, owing }) => end > position && isAcknowledged && owing.has(slave),
    );
    assert.is(cut, undefined, `${slave.name} cuts an acknowledged message before ${cut?.end}`);
    for (const { end, owing } of this.#sent) if (end > position) owing.delete(slave);
  }

  /**
   * It is the master now: what it does not have is gone. `mayForget`: it was it before, and its end may be gone with
   * the power.
   */
  leads(master: SimReplica, mayForget: boolean): void {
    const kept: Sent[] = [];
    for (const sent of this.#sent) {
      // Whoever was not answered by then never will be.
      if (!sent.isAcknowledged) continue;
      if (holds(master, sent)) {
        kept.push(sent);
        continue;
      }
      const { end, losers, owing } = sent;
      assert.not.ok(owing.has(master), `${master.name} has lost an acknowledged message before ${end}`);
      assert.ok(
        losers.size >= this.#copies || (mayForget && losers.has(master)),
        `an acknowledged message before ${end} is lost with ${[...losers].map(({ name }) => name).join(' and ')}`,
      );
      this.lost++;
    }
    this.#sent = kept;
  }

  /** Everything acknowledged and not lost is in every log. */
  kept(replicas: readonly SimReplica[]): void {
    for (const replica of replicas)
      for (const sent of this.#sent) {
        if (!sent.isAcknowledged) continue;
        assert.ok(holds(replica, sent), `${replica.name} lacks an acknowledged message before ${sent.end}`);
      }
  }
}

function holds(replica: SimReplica, { start, end, record }: Sent): boolean {
  return end <= replica.end && Buffer.compare(replica.bytes(start, end), record) === 0;
}
