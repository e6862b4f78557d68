/**
 * fastjson 1 writes an object that occurs a second time as `{"$ref":"$.path.to.the.first"}`. This puts the first one
 * in its place. Only a target that ends before the reference starts counts, so no cycle can arise; a reference to
 * anything else becomes null.
 */
import type { RocketJson, RocketJsonMap, RocketJsonObject } from './rocketmq-json.ts';

type Container = RocketJson[] | RocketJsonObject | RocketJsonMap;

/** Changes the containers in place and returns what stands for the root. */
export function resolveReferences(root: RocketJson): RocketJson {
  return new Resolver(root).resolved(root);
}

class Resolver {
  readonly #root: RocketJson;
  readonly #finished = new Set<RocketJson>();

  constructor(root: RocketJson) {
    this.#root = root;
  }

  resolved(value: RocketJson): RocketJson {
    if (typeof value !== 'object' || value === null) return value;
    const path = referencePath(value);
    if (path !== undefined) return this.#target(path);
    this.#resolveMembers(value);
    this.#finished.add(value);
    return value;
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
    return target !== undefined && this.#finished.has(target) ? target : null;
  }
}

function referencePath(value: Container): string | undefined {
  if (Array.isArray(value) || value instanceof Map) return undefined;
  const path = value['$ref'];
  return typeof path === 'string' && Object.keys(value).length === 1 ? path : undefined;
}

/** `$.a.b\\.c[0]` → a, b.c, 0. Undefined for relative paths, which RocketMQ's bodies have no use for. */
function stepsOf(path: string): string[] | undefined {
  if (!/^\$(?:[.[]|$)/.test(path)) return undefined;
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
