/** Delivery of a slave that acts for its master, as control begins and ends it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeliveryShape } from '../../../src/delivery/delivery-shape.ts';
import { noLog } from '../../../src/lib/log.ts';
import { ActingDelivery, type ActingDeliveryParts } from '../../../src/threads/control/acting-delivery.ts';

const test = suite('delivery of a slave that acts');

function rig() {
  const steps: string[] = [];
  let load: () => void = () => {};
  const delivery = new ActingDelivery({
    engine: () => ({
      deliver: (shape) => {
        load = shape;
      },
      retireDelivery: (stop) => {
        steps.push('retire');
        return stop().then(() => {});
      },
    }),
    link: {
      beginActing: () => ({}) as ReturnType<ActingDeliveryParts['link']['beginActing']>,
      endActing: () => void steps.push('ended'),
      escaped: () => {},
      stop: () => Promise.resolve(),
    },
    shape: () => ({}) as DeliveryShape,
    announce: (acts) => {
      steps.push(`acts ${acts}`);
      return Promise.resolve();
    },
    ...{ log: noLog, tls: () => undefined, brokerName: 'b', clusterName: 'c' },
    routes: { queuesOf: () => Promise.resolve(undefined) },
  });
  return { delivery, steps, load: () => load() };
}

test('pops are taken from when the thread is there until it is to end', async () => {
  const { delivery, steps, load } = rig();
  delivery.begin(() => void steps.push('begun'));
  assert.equal(steps, [], 'nobody would answer them');
  load();
  assert.equal(steps, ['acts true']);
  await Promise.resolve();
  assert.equal(steps, ['acts true', 'begun']);
  await delivery.end();
  assert.equal(steps, ['acts true', 'begun', 'acts false', 'retire', 'ended']);
});

test('a thread that never came up was never told of', async () => {
  const { delivery, steps } = rig();
  delivery.begin(() => void steps.push('begun'));
  await delivery.end();
  assert.equal(steps, ['acts false', 'retire', 'ended']);
});

test.run();
