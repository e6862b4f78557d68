/** Making keys, a function for each place of values; it says whether they may change while the broker runs. */
import type { BrokerSettings } from '../metadata/settings.ts';
import type { StoreOptions } from '../store/options.ts';
import type { Domain, FieldsOf, Key, ListenerOptions } from './key.ts';

interface More {
  /** Name in broker.conf when it is not the field's. */
  name?: string;
  defaultText?: string;
  changeable?: boolean;
  guards?: string;
}

type Scalar = string | number | boolean;

export function setting<V extends Scalar>(
  field: FieldsOf<BrokerSettings, V>,
  domain: Domain<V>,
  meaning: string,
  more: More = {},
): Key {
  return { name: field, place: 'settings', field, ...domain, meaning, changeable: true, ...more };
}

/** The store's threads copy their options at start; only what the control thread reads may change. */
export function storeKey<V extends Scalar>(
  field: FieldsOf<StoreOptions, V>,
  domain: Domain<V>,
  meaning: string,
  more: More = {},
): Key {
  return { name: field, place: 'store', field, ...domain, meaning, changeable: false, ...more };
}

/** Retention runs in the control thread and reads its options at every round. */
export function retentionKey<V extends Scalar>(
  field: FieldsOf<StoreOptions, V>,
  domain: Domain<V>,
  meaning: string,
): Key {
  return storeKey(field, domain, meaning, { changeable: true, guards: 'what is deleted, and when' });
}

export function listener<V extends Scalar>(
  field: FieldsOf<ListenerOptions, V>,
  domain: Domain<V>,
  meaning: string,
  more: More = {},
): Key {
  return { name: field, place: 'listener', field, ...domain, meaning, changeable: false, ...more };
}
