/**
 * A master with its slaves, one or two, and the network between them: processes that start and die, connections that
 * are made and end, bytes that arrive. What is done to them, and when, replication-simulation.ts says.
 */
import * as assert from 'uvu/assert';
import { readReport } from '../../src/protocol/replication-frames.ts';
import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from '../../src/replication/options.ts';
import { REPLICATED } from '../../src/ring/positions.ts';
import type { Random } from '../support/random.ts';
import { isRefusal, SimCrash, SimDisk } from './sim-disk.ts';
import type { FlushDiskType } from './sim-machine.ts';
import { Promises } from './sim-promises.ts';
import { DriftingClock, type Planted, QUEUES, SimReplica } from './sim-replica.ts';
import { SimLink } from './sim-wire.ts';

/** How a process ends. */
export type Death = 'kill' | 'power';

const STRANGER = /its log has nothing in common with the one here/;

export class SimCluster {
  readonly totals = { cut: 0, connections: 0, diskFailures: 0 };
  readonly replicas: SimReplica[];
  readonly promises: Promises;
  /** What has happened, for whoever reads a failure. */
  readonly history: string[] = [];
  readonly #random: Random;
  readonly #flush: FlushDiskType;
  readonly #options: ReplicationOptions;
  readonly #isBlind: boolean;
  master: SimReplica;
  links: SimLink[] = [];
  /** True ms. */
  time = 1_000_000;
  /** Nothing fails any more. */
  isCalm = false;
  #number = 0;
  /** What was said last, and by whom. */
  #why = '';

  /** `isBlind`: a report is not looked at, only what comes of it. */
  constructor(random: Random, planted: Planted, isBlind: boolean) {
    this.#random = random;
    this.#isBlind = isBlind;
    this.#flush = random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH']);
    const slaves = random.int(1, 2);
    const inSyncReplicas = random.int(2, slaves + 1);
    this.#options = { ...DEFAULT_REPLICATION_OPTIONS, brokerRole: 'SYNC_MASTER', inSyncReplicas };
    this.promises = new Promises(inSyncReplicas);
    this.replicas = Array.from({ length: slaves + 1 }, (_, n) => {
      const clock = new DriftingClock(() => this.time, 0.9 + random.next() * 0.2);
      const replica = new SimReplica(`replica-${n}`, clock, this.#flush, this.#options, planted);
      replica.disk.unordered = random.chance(0.5);
      return replica;
    });
    this.master = this.replicas[0] as SimReplica;
    for (const replica of this.replicas) this.start(replica);
  }

  /** What it was about, and the last that happened. */
  get story(): string {
    const { inSyncReplicas } = this.#options;
    const setup = `${this.replicas.length} replicas, inSyncReplicas ${inSyncReplicas}, ${this.#flush}`;
    return `${setup}; ${this.history.slice(-20).join(', ')}; ${this.#why}`;
  }

  /** Does something in the replica's process, which may die of it. */
  async on(replica: SimReplica, act: () => unknown): Promise<void> {
    if (!replica.isUp) return;
    const { process } = replica;
    try {
      await act();
    } catch (error) {
      if (error instanceof SimCrash) this.dies(replica, this.#random.pick<Death>(['kill', 'power']));
      else if (isRefusal(error) && replica.disk.hasFailed) this.#haltsBy(replica);
      else throw error;
      return;
    }
    if (replica.process !== process || !replica.isUp) return;
    if (replica.store.positions.halted || (replica.slave?.fault() ?? 0) !== 0) this.#haltsBy(replica);
  }

  /** The broker ends because its disk has failed: with a word to the next start, or without. */
  #haltsBy(replica: SimReplica): void {
    this.history.push(`${replica.name} halts`);
    this.totals.diskFailures++;
    const random = this.#random;
    replica.disk.mend();
    const isMarked = random.chance(0.5);
    if (isMarked) replica.store.abandon();
    if (isMarked && random.chance(0.5)) {
      // The kernel lets go of pages whose write-back has failed.
      replica.disk.evict();
      this.#mayForget(replica);
    }
    this.dies(replica, random.chance(0.2) ? 'power' : 'kill');
  }

  /** What is not durable there may be gone. */
  #mayForget(replica: SimReplica): void {
    if (this.#flush === 'SYNC_FLUSH') return;
    this.promises.forgets(replica, replica.isUp ? replica.durable : replica.lastDurable);
    replica.hasForgotten = true;
  }

  dies(replica: SimReplica, how: Death): void {
    if (!replica.isUp) return;
    this.history.push(`${replica.name} ${how}`);
    const random = this.#random;
    for (const link of this.linksOf(replica)) {
      if (how === 'power' && random.chance(0.5)) link.silence();
      if (random.chance(0.5)) for (const wire of [link.down, link.up]) wire.drop();
      this.closeEnd(link, replica);
    }
    if (how === 'power') {
      this.#mayForget(replica);
      replica.disk.powerCut(random);
      replica.clock.boot();
    }
    replica.gone();
    replica.restsUntil = this.time + random.pick([0, 300, 5_000]);
  }

  /** Starts it in its role, if it can be by now. */
  start(replica: SimReplica): void {
    const random = this.#random;
    const { disk } = replica;
    if (!this.isCalm) {
      if (this.time < replica.restsUntil) return;
      if (random.chance(0.1)) disk.callsUntilCrash = random.int(0, 40);
      else if (random.chance(0.05)) disk.fail(random.pick(['sync', 'write', 'allocate']), random.int(0, 2));
    }
    const hears = {
      told: (why: string) => {
        this.#why = `${replica.name}: ${why}`;
      },
      ended: () => {
        for (const link of this.linksOf(replica)) this.closeEnd(link, replica);
      },
    };
    try {
      if (replica === this.master) replica.openAsMaster(hears);
      else replica.openAsSlave(hears);
    } catch (error) {
      if (!(error instanceof SimCrash) && !(isRefusal(error) && disk.hasFailed)) throw error;
      this.history.push(`${replica.name} does not open`);
      disk.mend();
      if (random.chance(0.5)) disk.kill();
      else {
        disk.powerCut(random);
        this.#mayForget(replica);
      }
      replica.restsUntil = this.time + 300;
      return;
    }
    disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    this.promises.opened(replica);
    if (replica === this.master) this.promises.leads(replica, replica.hasForgotten);
    replica.hasForgotten = false;
  }

  async send(count: number): Promise<void> {
    const master = this.master;
    const random = this.#random;
    await this.on(master, () => {
      for (let n = 0; n < count; n++) {
        const body = `message ${this.#number++} `.padEnd(random.int(20, 900), '.');
        try {
          const { start, end } = master.append(random.int(0, QUEUES - 1), body);
          this.promises.append(master, start, end);
        } catch (error) {
          // A full disk refuses a message, and the broker goes on.
          if (/cannot take records/.test((error as Error).message) && master.disk.hasFailed) return;
          throw error;
        }
      }
      if (random.chance(0.8)) master.feeds?.pump();
    });
  }

  /** When what is sent now arrives. */
  #arrival(): number {
    return this.time + (this.isCalm ? 0 : this.#random.pick([0, 1, 50, 800]));
  }

  connectAll(): void {
    for (const slave of this.slaves) this.#connect(slave);
  }

  #connect(replica: SimReplica): void {
    const { slave } = replica;
    const { feeds } = this.master;
    if (slave === undefined || feeds === undefined || replica.diverged !== undefined) return;
    if (!slave.follower.ready || this.linksOf(replica).length > 0) return;
    const link = new SimLink(this.master, replica);
    link.feed = feeds.open(replica.name, 1, {
      send: (pieces, taken) => {
        for (const piece of pieces) link.down.send(piece, this.#arrival());
        link.taken.push(taken);
      },
      close: () => this.closeEnd(link, link.master),
    });
    if (link.feed === undefined) return;
    this.totals.connections++;
    this.links.push(link);
    link.stream = slave.follower.open({
      send: (bytes) => {
        this.#report(link, readReport(new DataView(bytes.buffer), 0));
        link.up.send(bytes, this.#arrival());
      },
      pause: () => {
        link.isPaused = true;
      },
      resume: () => {
        link.isPaused = false;
      },
      close: () => this.closeEnd(link, replica),
    });
  }

  /** The slave says how far it is: nothing that it may not have, nothing that is another than its master's. */
  #report(link: SimLink, position: number): void {
    const { slave, master } = link;
    // The first says where it wants to begin, and heartbeats may say that again.
    if (link.requested < 0) link.requested = position;
    if (position <= link.requested || !link.isOfMaster) return;
    if (!this.#isBlind) {
      assert.ok(position <= slave.safe, `${slave.name} reports ${position}, and is safe up to ${slave.safe}`);
      assert.ok(position <= master.end, `${slave.name} reports ${position}, behind its master's end`);
      if (position > link.compared) {
        const [own, theirs] = [slave, master].map((replica) => replica.bytes(link.compared, position));
        const isSame = Buffer.compare(own as Buffer, theirs as Buffer) === 0;
        assert.ok(isSame, `${slave.name} reports ${position}, and has other bytes there than its master`);
        link.compared = position;
      }
    }
    this.promises.reported(slave, position);
  }

  /** Open connections at the replica's end. */
  linksOf(replica: SimReplica): SimLink[] {
    return this.links.filter((link) => link.isOpenAt(replica));
  }

  /** One end of a connection is closed; the other hears of it later, or never. */
  closeEnd(link: SimLink, replica: SimReplica): void {
    if (!link.isOpenAt(replica)) return;
    link.close(replica, this.#arrival());
    if (link.isOver) this.links = this.links.filter((one) => one !== link);
    if (replica === link.master) {
      if (link.feed !== undefined) replica.feeds?.closed(link.feed);
    } else replica.slave?.follower.closed('lost');
  }

  /** What has arrived by now. */
  async deliver(): Promise<void> {
    for (const link of this.links) {
      const { master, slave } = link;
      if (!this.isCalm && this.#random.chance(0.3)) continue;
      await this.on(slave, () => this.#toSlave(link));
      await this.on(master, () => this.#toMaster(link));
    }
  }

  #toSlave(link: SimLink): void {
    if (!link.isOpenAt(link.slave) || link.isPaused) return;
    const bytes = link.down.some(this.time, this.#random);
    if (bytes.length > 0) link.stream?.received(bytes);
    if (link.down.hasEnded(this.time)) this.closeEnd(link, link.slave);
  }

  #toMaster(link: SimLink): void {
    if (!link.isOpenAt(link.master)) return;
    for (const taken of link.taken.splice(0)) taken();
    link.feed?.received(link.up.some(this.time, this.#random));
    if (link.up.hasEnded(this.time)) this.closeEnd(link, link.master);
  }

  /** The writers of the slaves, and the clocks of all. */
  async turn(): Promise<void> {
    const random = this.#random;
    await this.on(this.master, () => this.master.feeds?.tick());
    for (const replica of this.slaves) {
      await this.on(replica, () => {
        replica.slave?.write(this.isCalm ? Number.POSITIVE_INFINITY : random.pick([1, 5, 1_000]));
        replica.slave?.follower.tick();
        if (replica.diverged !== undefined) this.#cut(replica, replica.diverged);
        else if (this.#why.startsWith(replica.name) && STRANGER.test(this.#why)) this.#beginAnew(replica);
      });
    }
  }

  /** Slaves ask their master for its tables, and hear where its log ends. */
  tellEnds(): void {
    if (!this.master.isUp) return;
    for (const { slave } of this.slaves) slave?.follower.masterEndsAt(this.master.end);
  }

  /** Cleanly, or not. */
  async stop(replica: SimReplica): Promise<void> {
    if (replica.canDispatch && this.#random.chance(0.5)) {
      await this.on(replica, async () => void (await replica.store.close()));
    }
    this.dies(replica, this.#random.chance(0.8) ? 'kill' : 'power');
  }

  newDisk(replica: SimReplica): void {
    replica.disk = new SimDisk();
    replica.disk.unordered = this.#random.chance(0.5);
  }

  /** As the broker: the note, the end, and a start that cuts. */
  #cut(replica: SimReplica, position: number): void {
    this.history.push(`${replica.name} cuts at ${position}`);
    this.promises.cuts(replica, position);
    replica.noteDiverged(position);
    this.totals.cut++;
    this.dies(replica, this.#random.chance(0.8) ? 'kill' : 'power');
  }

  /** The master has nothing of what the slave has: that an operator has to say. */
  #beginAnew(replica: SimReplica): void {
    this.#why = '';
    this.history.push(`${replica.name} begins anew`);
    this.promises.cuts(replica, 0);
    this.dies(replica, 'kill');
    this.newDisk(replica);
  }

  acknowledge(): void {
    if (!this.master.isUp) return;
    const { store, end } = this.master;
    if (store.positions.halted) return;
    const replicated = store.positions.get(REPLICATED);
    assert.ok(replicated <= end, `REPLICATED is ${replicated}, and the master's log ends at ${end}`);
    this.promises.acknowledge(this.master, this.master.acknowledged);
  }

  /** Whether the master says that its slaves have all that it has. */
  isSame(): boolean {
    if (!this.master.isUp) return false;
    const { end } = this.master;
    if (end === 0) return false;
    return this.slaves.every((slave) => {
      const link = this.links.find((one) => one.slave === slave && one.isOfMaster && one.isOpenAt(slave));
      return slave.isUp && slave.diverged === undefined && link?.feed?.acknowledged === end;
    });
  }

  get slaves(): SimReplica[] {
    return this.replicas.filter((replica) => replica !== this.master);
  }
}
