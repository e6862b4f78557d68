/** A delay service on fake time, disk and puts, with the files that control keeps of it. */
import { DelayProgress } from '../../../src/delivery/delay/delay-progress.ts';
import { DelayService } from '../../../src/delivery/delay/delay-service.ts';
import type { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { DeliveryLink } from '../../../src/delivery/delivery-link.ts';
import { SCHEDULE_TOPIC } from '../../../src/lib/names.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { DelayTimes } from '../../../src/metadata/delay-times.ts';
import { LiteTopics } from '../../../src/metadata/lite-topics.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { ENDLESS } from '../../../src/metadata/topics.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import type { FakePut, Setup } from '../broker/support.ts';
import { silentLog } from '../metadata/support.ts';

export interface RigOptions {
  levels: DelayLevels;
  put?: FakePut;
  boot?: string;
  endAtStart?: (level: number) => number;
  /** Before the service starts. */
  prepare?: (offsets: DelayOffsets) => void;
}

/** One life of the service: begins with what the files hold. */
export class DelayRig {
  readonly service: DelayService;
  readonly offsets: DelayOffsets;
  busy = false;
  readonly #setup: Setup;
  readonly #times: DelayTimes;
  readonly #progress: DelayProgress;
  readonly #link: DeliveryLink;

  constructor(setup: Setup, { levels, put = setup.put, boot = 'a boot', endAtStart, prepare }: RigOptions) {
    const { settings, time, store, directory } = setup;
    this.#setup = setup;
    this.offsets = new DelayOffsets(directory, settings, time);
    this.#times = new DelayTimes(directory, boot, silentLog);
    this.offsets.load();
    this.#times.load();
    prepare?.(this.offsets);
    const tables = {
      settings,
      offsets: setup.context.offsets,
      delayOffsets: this.offsets,
      delayTimes: this.#times,
      orders: new OrderInfos(directory),
      topics: setup.context.topics,
      lites: new LiteTopics(setup.context.topics, ENDLESS),
      groups: setup.context.groups,
    };
    this.#link = new DeliveryLink(
      tables,
      { levels, store: { fileReservedTime: 72, directory }, disk: new SimDisk(), log: silentLog },
      plainChannel({ ringBytes: 64 * 1024 }).sender,
    );
    this.#progress = new DelayProgress(time, this.#link.delays);
    this.service = new DelayService({
      maxPending: () => settings.scheduleAsyncDeliverMaxPendingLimit,
      clock: time,
      timers: time,
      log: silentLog,
      store,
      put: put.begin,
      busy: () => this.busy,
      progress: this.#progress,
      endAtStart: endAtStart ?? ((level) => store.maxOffset(SCHEDULE_TOPIC, level - 1)),
      levels,
    });
  }

  get(level: number): number {
    return this.#progress.get(level);
  }

  /** What the agent tells control, which writes it. */
  async save(): Promise<void> {
    this.#link.heard({
      kind: 'delivery',
      progress: { delays: this.#progress.state() },
      figures: undefined,
      stopped: false,
    });
    this.offsets.persist();
    this.#times.persist();
    await Promise.all([this.offsets.saved(), this.#times.saved()]);
  }

  /** As the agent stops: nothing more is issued, what is under way ends, and then it is saved. */
  async stop(): Promise<void> {
    this.service.stop();
    for (let i = 0; i < 1_000 && !this.service.idle; i++) await this.#setup.time.advance(10);
    if (!this.service.idle) throw new Error('puts under way have not ended');
    await this.save();
  }
}
