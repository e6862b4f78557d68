/** What one configuration key is: its name, where its value goes, which texts it takes. */

import type { LogLevel } from '../lib/log.ts';
import { UserError } from '../lib/user-error.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { ReplicationOptions } from '../replication/options.ts';
import type { StoreOptions } from '../store/options.ts';
import type { EngineLayout } from '../threads/engine-layout.ts';
import type { TlsSettings } from '../tls/settings.ts';

export type Value = string | number | boolean;

/** Settings of the broker that are neither the control path's nor the store's. */
export interface ListenerOptions {
  bindAddress: string;
  /** `;`-separated `host:port`. */
  namesrvAddr: string;
  serverChannelMaxIdleTimeSeconds: number;
  networkThreads: number;
  vipChannel: boolean;
  engineLayout: EngineLayout;
  busyPollMicros: number;
  drainTimeMillis: number;
  metricsExporterType: 'DISABLE' | 'PROM';
  metricsPromExporterPort: number;
  metricsPromExporterHost: string;
  metricsLabel: string;
  metricsExporterNames: boolean;
  /** `''` = as the environment says. */
  logLevel: LogLevel | '';
  auditLog: boolean;
  slowOperationMillis: number;
  /** Names of keys, separated by `,`, that may ask for what RingMQ does not have. */
  allowMissing: string;
}

export interface BrokerValues {
  settings: BrokerSettings;
  store: StoreOptions;
  listener: ListenerOptions;
  replication: ReplicationOptions;
  tls: TlsSettings;
}

type Place = keyof BrokerValues;

export interface Key {
  /** As in broker.conf. */
  readonly name: string;
  readonly place: Place;
  readonly field: string;
  /** For people: `true or false`, `1 to 65535`. */
  readonly allowed: string;
  /** Undefined for a text that is not allowed. */
  readonly parse: (text: string) => Value | undefined;
  readonly explain?: Explain | undefined;
  readonly meaning: string;
  /** What the key decides about, when a misspelling of it must not go unnoticed: a half sentence after "it decides". */
  readonly guards?: string;
  /** A default that depends on the machine, in words. */
  readonly defaultText?: string;
  /** Never shown to anybody. */
  readonly secret?: boolean;
  /** May be changed while the broker runs. */
  readonly changeable: boolean;
}

/** Fields of T whose values are of type V. */
export type FieldsOf<T, V> = Extract<{ [K in keyof T]: T[K] extends V ? K : never }[keyof T], string>;

/** Why a text is not allowed, for a mistake that many make; `write` puts a corrected value as it is to be written. */
export type Explain = (text: string, write: (corrected: string) => string) => string | undefined;

export type Domain<V extends Value> = {
  allowed: string;
  parse: (text: string) => V | undefined;
  explain?: Explain;
};

export const flag: Domain<boolean> = {
  allowed: 'true or false',
  parse: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
};

export function integer(from: number, to: number): Domain<number> {
  return {
    allowed: to === Number.MAX_SAFE_INTEGER ? `a whole number from ${from}` : `${from} to ${to}`,
    parse: (text) => {
      const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= from && value <= to ? value : undefined;
    },
  };
}

export function choice<T extends string>(...texts: readonly T[]): Domain<T> {
  return {
    allowed: texts.join(' or '),
    parse: (text) => texts.find((allowed) => allowed.toUpperCase() === text.toUpperCase()),
  };
}

/** `accepts` may throw or answer false for a text that is not allowed. */
export function text(
  allowed: string,
  accepts: (text: string) => boolean = () => true,
  explain: Explain = () => undefined,
): Domain<string> {
  return {
    allowed,
    explain,
    parse: (given) => {
      try {
        return accepts(given) ? given : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** The value of `given`, or a UserError that names key, value and what is allowed. */
export function parseValue(key: Key, given: string, origin = ''): Value {
  const value = key.parse(given.trim());
  if (value !== undefined) return value;
  const write = (corrected: string) => `${key.name}=${corrected}`;
  throw new UserError(`${origin}${key.name}=${given} is not possible: ${whyNot(key, given, write)}.`);
}

/** The end of the sentence about a text that the key does not take. */
export function whyNot(key: Key, given: string, write: (corrected: string) => string): string {
  return key.explain?.(given.trim(), write) ?? `allowed is ${key.allowed}`;
}

export function readValue(values: BrokerValues, key: Key): Value {
  return (values[key.place] as unknown as Record<string, Value>)[key.field] as Value;
}

export function writeValue(values: BrokerValues, key: Key, value: Value): void {
  (values[key.place] as unknown as Record<string, Value>)[key.field] = value;
}
