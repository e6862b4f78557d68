/**
 * A master and its slaves, one or two, on simulated disks, with a network that cuts, delays, loses and falls silent:
 * crashes, power cuts, failing disks, clocks that drift and are set, and masters that are lost and come back as slaves,
 * at random, by seed. The parts are those of the broker: feed, follower, rings, writer, flusher, recovery.
 *
 * Held: what a slave reports is the master's bytes, and as safe as the flush mode says; what is acknowledged was on as
 * many replicas as `inSyncReplicas` says, and is lost only with all of them (sim-promises.ts); once nothing fails any
 * more all logs have the same bytes, and queues that count without a gap.
 */
import * as assert from 'uvu/assert';
import { QUEUE_ID, QUEUE_OFFSET } from '../../src/record/layout.ts';
import type { Random } from '../support/random.ts';
import { type Death, SimCluster } from './sim-cluster.ts';
import { type Planted, QUEUES, type SimReplica, TOPIC } from './sim-replica.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
/** Rounds in which nothing fails any more until all logs must be the same. */
const HEALING = 3_000;

export interface ReplicationTotals {
  acknowledged: number;
  lost: number;
  cut: number;
  connections: number;
  failovers: number;
  diskFailures: number;
  bytes: number;
}

export class ReplicationSimulation {
  #failovers = 0;
  readonly #random: Random;
  readonly #cluster: SimCluster;
  /** How much fails, against what is done. */
  readonly #roughness: number;

  /** `isBlind`: a report is not looked at, only what comes of it. */
  constructor(random: Random, planted: Planted = {}, isBlind = false) {
    this.#random = random;
    this.#roughness = random.pick([0.3, 1, 2]);
    this.#cluster = new SimCluster(random, planted, isBlind);
  }

  get story(): string {
    return this.#cluster.story;
  }

  async step(): Promise<void> {
    const random = this.#random;
    this.#cluster.time += random.chance(0.02) ? random.int(1_000, 25_000) : random.int(0, 300);
    await this.#pick();
    for (const replica of this.#cluster.replicas) if (!replica.isUp) this.#cluster.start(replica);
    if (random.chance(0.5)) this.#cluster.connectAll();
    this.#cluster.acknowledge();
  }

  /** Nothing fails any more: all logs become the same, and hold what was promised. */
  async heal(): Promise<ReplicationTotals> {
    const cluster = this.#cluster;
    cluster.isCalm = true;
    for (const { disk } of cluster.replicas) {
      disk.mend();
      disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    }
    cluster.history.push('heal');
    for (let round = 0; round < HEALING && !cluster.isSame(); round++) await this.#healingRound(round);
    const ends = cluster.replicas.map(({ name, end }) => `${name} ${end}`).join(', ');
    assert.ok(cluster.isSame(), `the logs are not the same after all: ${ends}`);
    const { end } = cluster.master;
    const log = cluster.master.bytes(0, end);
    for (const replica of cluster.replicas)
      assert.is(Buffer.compare(replica.bytes(0, end), log), 0, `the log of ${replica.name} differs`);
    cluster.promises.kept(cluster.replicas);
    for (const replica of cluster.replicas) this.#checkQueues(replica);
    const { acknowledged, lost } = cluster.promises;
    return { ...cluster.totals, acknowledged, lost, failovers: this.#failovers, bytes: end };
  }

  async #healingRound(round: number): Promise<void> {
    const cluster = this.#cluster;
    for (const replica of cluster.replicas) if (!replica.isUp) cluster.start(replica);
    cluster.connectAll();
    // What only a new message brings to light.
    if (round % 100 === 1) await cluster.send(1);
    for (const replica of cluster.replicas) await cluster.on(replica, () => replica.store.flush());
    await cluster.deliver();
    await cluster.turn();
    cluster.tellEnds();
    cluster.time += 100;
    cluster.acknowledge();
  }

  async #pick(): Promise<void> {
    const random = this.#random;
    const cluster = this.#cluster;
    const fails = this.#roughness;
    const kinds: [weight: number, name: string, act: () => void | Promise<void>][] = [
      [22, '', () => cluster.send(1)],
      [3, 'burst', () => cluster.send(random.int(10, 60))],
      [34, '', () => cluster.deliver()],
      [12, '', () => cluster.turn()],
      [9, '', () => this.#sync()],
      [2, '', () => this.#dispatch()],
      [2, '', () => cluster.tellEnds()],
      [1, '', () => this.#any().disk.mend()],
      [1, '', () => this.#any().disk.writeBack(random)],
      [2 * fails, 'lose', () => this.#loseSome()],
      [1.5 * fails, 'silence', () => this.#silenceSome()],
      [2.5 * fails, 'death', () => cluster.dies(this.#any(), random.pick<Death>(['kill', 'power']))],
      [1.5 * fails, 'crash to come', () => this.#crashLater(this.#any())],
      [2 * fails, 'disk fails', () => this.#failDisk(this.#any())],
      [fails, 'clock', () => this.#any().clock.step(random.pick([10 * MINUTE, -10 * MINUTE, YEAR, -YEAR]))],
      [1.2 * fails, 'failover', () => this.#failover()],
      [0.3 * fails, 'slave lost', () => this.#loseSlave()],
    ];
    let at = random.next() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    const chosen = kinds.find(([weight]) => {
      at -= weight;
      return at < 0;
    });
    const [, name, act] = chosen as (typeof kinds)[number];
    if (name !== '') cluster.history.push(name);
    await act();
  }

  #any(): SimReplica {
    return this.#random.pick(this.#cluster.replicas);
  }

  async #sync(): Promise<void> {
    for (const replica of this.#cluster.replicas)
      if (this.#random.chance(0.7)) await this.#cluster.on(replica, () => replica.store.flush());
  }

  async #dispatch(): Promise<void> {
    for (const replica of this.#cluster.replicas) {
      // Of a master all queues are known, of a slave those that its opening has found.
      if (!replica.canDispatch && replica.slave !== undefined) continue;
      await this.#cluster.on(replica, async () => {
        replica.store.dispatch();
        if (this.#random.chance(0.5)) await replica.store.checkpoint();
      });
    }
  }

  #loseSome(): void {
    if (this.#cluster.links.length === 0) return;
    const link = this.#random.pick(this.#cluster.links);
    if (this.#random.chance(0.5)) for (const wire of [link.down, link.up]) wire.drop();
    for (const end of [link.slave, link.master])
      if (this.#random.chance(0.7)) this.#cluster.closeEnd(link, end);
  }

  #silenceSome(): void {
    if (this.#cluster.links.length === 0) return;
    const { down, up } = this.#random.pick(this.#cluster.links);
    const ways = this.#random.pick([[down], [up], [down, up]]);
    for (const wire of ways) wire.isSilent = true;
  }

  #crashLater({ disk }: SimReplica): void {
    disk.callsUntilCrash = this.#random.int(0, 60);
  }

  #failDisk({ disk }: SimReplica): void {
    const random = this.#random;
    const fault = random.pick(['sync', 'sync', 'syncRangeFiles', 'write', 'allocate', 'full'] as const);
    if (fault === 'full') disk.full = true;
    else disk.fail(fault, random.int(0, 3), random.pick([5, 28]));
  }

  /** The master is given up: its slave with the most of its log becomes the master, and it comes back as a slave. */
  async #failover(): Promise<void> {
    const old = this.#cluster.master;
    const random = this.#random;
    if (!old.isUp || this.#cluster.slaves.some(({ isUp }) => !isUp)) return;
    // What it has for certain: a power cut may follow.
    const has = new Map(
      this.#cluster.slaves.map((slave) => [slave, Math.min(slave.safe, commonEnd(old, slave))]),
    );
    const [next] = [...this.#cluster.slaves].sort((a, b) => (has.get(b) ?? 0) - (has.get(a) ?? 0));
    if (next === undefined) return;
    this.#failovers++;
    const isLost = random.chance(0.3);
    this.#cluster.dies(old, random.pick<Death>(['kill', 'power']));
    this.#cluster.history.push(`${next.name} leads${isLost ? ', the old disk is lost' : ''}`);
    this.#cluster.promises.forgets(old, 0);
    if (isLost) this.#cluster.newDisk(old);
    await this.#cluster.stop(next);
    this.#cluster.master = next;
    for (const slave of this.#cluster.slaves) {
      // They are told where their master is now.
      for (const link of this.#cluster.linksOf(slave)) this.#cluster.closeEnd(link, slave);
    }
  }

  #loseSlave(): void {
    const slave = this.#random.pick(this.#cluster.slaves);
    this.#cluster.dies(slave, 'power');
    this.#cluster.promises.forgets(slave, 0);
    this.#cluster.newDisk(slave);
  }

  /** Opened once more, its queues hold all that the log has, and count without a gap. */
  #checkQueues(replica: SimReplica): void {
    const { end } = replica;
    this.#cluster.dies(replica, 'kill');
    replica.openAsMaster({ told: () => {}, ended: () => {} });
    assert.is(replica.end, end, `${replica.name} has another end after a start`);
    replica.store.dispatch();
    const next = Array<number>(QUEUES).fill(0);
    for (const record of replica.store.records()) {
      const view = new DataView(record.buffer, record.byteOffset, record.length);
      const queueId = view.getInt32(QUEUE_ID);
      assert.is(
        Number(view.getBigInt64(QUEUE_OFFSET)),
        next[queueId],
        `${replica.name}: offset in queue ${queueId}`,
      );
      next[queueId] = (next[queueId] ?? 0) + 1;
    }
    for (const [queueId, count] of next.entries()) {
      const queue = replica.store.queue(TOPIC, queueId);
      const known = queue === undefined ? 0 : replica.store.directory.maximum(queue.id);
      assert.is(known, count, `${replica.name}: messages in queue ${queueId}`);
    }
  }
}

/** Up to where two logs have the same bytes. */
function commonEnd(one: SimReplica, other: SimReplica): number {
  const end = Math.min(one.end, other.end);
  const [a, b] = [one.bytes(0, end), other.bytes(0, end)];
  if (Buffer.compare(a, b) === 0) return end;
  return a.findIndex((byte, at) => byte !== b[at]);
}
