/**
 * The metrics of a broker as one page. A scrape that comes while another one is under way gets what that one brings:
 * however many ask, and however often, control works on one at a time, in slices.
 */
import type { Clock } from '../../lib/clock.ts';
import { Exposition, type Labels } from '../../remoting/exposition.ts';
import { Slices } from '../admin/slices.ts';
import { brokerFamilies } from './broker-families.ts';
import { callFamilies } from './call-families.ts';
import type { MetricsParts } from './context.ts';
import { deliveryFamilies } from './delivery-families.ts';
import { exporterFamilies } from './exporter-families.ts';
import { lagFamilies } from './lag-families.ts';
import { replicationFamilies } from './replication-families.ts';
import { storeFamilies } from './store-families.ts';
import { threadFamilies } from './thread-families.ts';
import { topicFamilies } from './topic-families.ts';

export class Metrics {
  readonly #parts: MetricsParts;
  readonly #clock: Clock;
  #underWay: Promise<Uint8Array> | undefined;

  constructor(parts: MetricsParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  scrape(): Promise<Uint8Array> {
    this.#underWay ??= this.#make().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #make(): Promise<Uint8Array> {
    const parts = this.#parts;
    const out = new Exposition(commonLabels(parts));
    const scrape = { parts, out, slices: new Slices(this.#clock), now: this.#clock.now() };
    await brokerFamilies(scrape);
    await topicFamilies(scrape);
    await lagFamilies(scrape);
    storeFamilies(scrape);
    replicationFamilies(scrape);
    callFamilies(scrape);
    deliveryFamilies(scrape);
    threadFamilies(scrape);
    if (parts.options.exporterNames) await exporterFamilies(scrape);
    return out.bytes();
  }
}

/** Those of RocketMQ, and those of the configuration. */
function commonLabels({ tables, options }: MetricsParts): Labels {
  const { brokerClusterName, brokerName } = tables.settings;
  return { cluster: brokerClusterName, node_type: 'broker', node_id: brokerName, ...options.labels };
}
