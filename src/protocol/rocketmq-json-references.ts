/**
 * fastjson 1 writes an object that occurs a second time as `{"$ref":"$.path.to.the.first"}`: brokers up to 5.3 do so in
 * registrations and configuration files, where topics share attributes and tables their version. This puts the first
 * one in its place. Only a target that ends before the reference starts counts, so no cycle can arise; a reference to
 * anything else becomes null.
 *
 * Whoever reads the result walks through a shared object once per reference. So each reference is charged what its
 * target holds, as if it were written out, and the whole has a limit: a few hundred kilobytes of references to one
 * large object would otherwise stand for gigabytes.
 */
import { limitError, type ProtocolError } from './errors.ts';
import type { RocketJson, RocketJsonMap, RocketJsonObject } from './rocketmq-json.ts';

type Container = RocketJson[] | RocketJsonObject | RocketJsonMap;

export interface ValueLimit {
  count: number;
  /** Name of the limit, for the error. */
  limit: string;
}

export function tooManyValues({ count, limit }: ValueLimit): ProtocolError {
  return limitError('values in a JSON text', count, limit);
}

/**
 * Changes the containers in place and returns what stands for the root. Throws a ProtocolError when the text, with all
 * references written out, has more values than the limit.
 */
export function resolveReferences(root: RocketJson, limit: ValueLimit): RocketJson {
  return new Resolver(root, limit).resolved(root);
}

/** Names on the way have 255 characters at most. */
const LONGEST_PATH = 1024;
/** Characters of a text that count as one value. */
const TEXT_UNIT = 64;

class Resolver {
  readonly #root: RocketJson;
  readonly #limit: ValueLimit;
  /** Values in each finished container, itself and what its references stand for included. */
  readonly #finished = new Map<RocketJson, number>();
  #values = 0;

  constructor(root: RocketJson, limit: ValueLimit) {
    this.#root = root;
    this.#limit = limit;
  }

  resolved(value: RocketJson): RocketJson {
    if (typeof value !== 'object' || value === null) {
      this.#charge(typeof value === 'string' ? 1 + Math.floor(value.length / TEXT_UNIT) : 1);
      return value;
    }
    const path = referencePath(value);
    if (path !== undefined) return this.#target(path);
    const before = this.#values;
    this.#charge(1);
    this.#resolveMembers(value);
    this.#finished.set(value, this.#values - before);
    return value;
  }

  #charge(values: number): void {
    this.#values += values;
    if (this.#values > this.#limit.count) throw tooManyValues(this.#limit);
  }

  #resolveMembers(container: Container): void {
    if (container instanceof Map) {
      for (const [key, member] of container) {
        this.resolved(key);
        container.set(key, this.resolved(member));
      }
    } else if (Array.isArray(container)) {
      for (const [index, item] of container.entries()) container[index] = this.resolved(item);
    } else {
      for (const [name, member] of Object.entries(container)) container[name] = this.resolved(member);
    }
  }

  #target(path: string): RocketJson {
    let target: RocketJson | undefined = this.#root;
    for (const step of stepsOf(path) ?? []) target = memberOf(target, step);
    const values = target === undefined ? undefined : this.#finished.get(target);
    this.#charge(values ?? 1);
    return target === undefined || values === undefined ? null : target;
  }
}

function referencePath(value: Container): string | undefined {
  if (Array.isArray(value) || value instanceof Map) return undefined;
  const path = value['$ref'];
  return typeof path === 'string' && Object.keys(value).length === 1 ? path : undefined;
}

/** `$.a.b\\.c[0]` → a, b.c, 0. Undefined for relative and endless paths, which RocketMQ's bodies have no use for. */
function stepsOf(path: string): string[] | undefined {
  if (path.length > LONGEST_PATH || !/^\$(?:[.[]|$)/.test(path)) return undefined;
  const steps: string[] = [];
  for (const match of path.matchAll(/\.((?:\\.|[^.[\\])+)|\[(?:(\d+)|'([^']*)'|"([^"]*)")\]/g)) {
    const name = match[1]?.replaceAll(/\\(.)/g, '$1');
    steps.push(name ?? match[2] ?? match[3] ?? match[4] ?? '');
  }
  return steps;
}

function memberOf(value: RocketJson | undefined, step: string): RocketJson | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Map) return value.get(step);
  return Array.isArray(value) ? value[Number(step)] : value[step];
}
