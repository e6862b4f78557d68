/**
 * Counts the calls that control answers, and how long it takes to make topics and groups. Control alone looks at it.
 * How many kinds there are is bounded by the requests that are served and the codes that they are answered with.
 */
import { Histogram } from '../../lib/histogram.ts';
import { AT_ONCE, type CallKind, ONEWAY } from '../../protocol/call-kinds.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { isOneway, type RemotingCommand } from '../../protocol/command.ts';
import { CALL_CELLS, countCall } from '../../ring/call-table.ts';

/** RocketMQ's, ms. */
const CREATION_BOUNDS_MS = [10, 100, 1_000, 3_000, 5_000];

export const TOPIC_CREATIONS: ReadonlySet<number> = new Set([
  RequestCode.UPDATE_AND_CREATE_TOPIC,
  RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
]);
export const GROUP_CREATIONS: ReadonlySet<number> = new Set([
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
  RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
]);

/** How requests of a kind went. */
export interface Creations {
  readonly success: Histogram;
  readonly failure: Histogram;
}

function noCreations(): Creations {
  return { success: new Histogram(CREATION_BOUNDS_MS), failure: new Histogram(CREATION_BOUNDS_MS) };
}

export class ControlCalls {
  readonly #calls = new Map<string, { kind: CallKind; cells: Float64Array }>();
  /** Of topics of clients, of system topics, of groups. */
  readonly topics = noCreations();
  readonly systemTopics = noCreations();
  readonly groups = noCreations();
  readonly #isSystemTopic: (topic: string) => boolean;

  constructor(isSystemTopic: (topic: string) => boolean) {
    this.#isSystemTopic = isSystemTopic;
  }

  /** `request`, which counts as `code`, is answered with `answer` after so many ms, or would be were it not one-way. */
  done(request: RemotingCommand, code: number, answer: number, ms: number): void {
    const way = isOneway(request) ? ONEWAY : AT_ONCE;
    const key = `${code} ${answer} ${way}`;
    let counted = this.#calls.get(key);
    if (counted === undefined) {
      counted = { kind: { request: code, answer, way }, cells: new Float64Array(CALL_CELLS) };
      this.#calls.set(key, counted);
    }
    countCall(counted.cells, 0, ms);
    const creations = this.#creationsOf(request);
    if (creations === undefined) return;
    (answer === ResponseCode.SUCCESS ? creations.success : creations.failure).add(ms);
  }

  #creationsOf({ code, fields }: RemotingCommand): Creations | undefined {
    if (GROUP_CREATIONS.has(code)) return this.groups;
    if (!TOPIC_CREATIONS.has(code)) return undefined;
    return this.#isSystemTopic(fields['topic'] ?? '') ? this.systemTopics : this.topics;
  }

  counted(): Iterable<{ readonly kind: CallKind; readonly cells: Float64Array }> {
    return this.#calls.values();
  }
}
