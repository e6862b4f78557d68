/** Pops and acknowledgements of the fake broker: places of groups, and messages that it forgets or gives twice. */
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { recordOf, type Stored } from './stored.ts';

const BATCH_MAX = 32;

export class FakePops {
  /** What it gives of the next message, by the number of the message in order of delivery: nothing, or twice. */
  copies: (message: number) => number = () => 1;
  /** Code that an acknowledgement is answered with, by its number. */
  ackCode: (acknowledgement: number) => number = () => 0;
  /** Messages in each answer. */
  readonly popped: number[] = [];
  readonly groups = new Set<string>();
  acknowledged = 0;
  #messages = 0;
  /** Next offset, by group, topic and queue. */
  readonly #places = new Map<string, number>();
  /** The extra info of what has been given out and not acknowledged. */
  readonly #outstanding = new Map<string, number>();

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Undefined = there is nothing: the pop is held. */
  pop(request: RemotingCommand, queues: ReadonlyMap<string, Stored[]>): RemotingCommand | undefined {
    const { topic, consumerGroup, maxMsgNums, queueId, invisibleTime, bname } = request.fields;
    if (queueId !== '-1' || Number(maxMsgNums) > BATCH_MAX || !this.groups.has(consumerGroup ?? ''))
      return responseTo(request, 1, 'not as the Java client asks');
    const popTime = String(Date.now());
    const [starts, records]: [string[], Buffer[]] = [[], []];
    for (const [name, queue] of queues) {
      const id = name.slice(name.indexOf('/') + 1);
      const place = `${consumerGroup}/${name}`;
      const start = this.#places.get(place) ?? 0;
      let offset = start;
      if (!name.startsWith(`${topic}/`) || offset >= queue.length) continue;
      starts.push(`0 ${id} ${start}`);
      for (; offset < queue.length && records.length < Number(maxMsgNums); offset++) {
        const record = recordOf(queue[offset] as Stored, offset, Number(id));
        const copies = this.copies(this.#messages++);
        records.push(...Array.from({ length: copies }, () => record));
        const info = `${start} ${popTime} ${invisibleTime} 5 0 ${bname} ${id} ${offset}`;
        if (copies > 0) this.#outstanding.set(`${consumerGroup} ${info}`, copies);
      }
      this.#places.set(place, offset);
    }
    if (starts.length === 0) return undefined;
    this.popped.push(records.length);
    const times = { popTime, invisibleTime: invisibleTime as string, reviveQid: '5', restNum: '0' };
    const fields = { ...times, startOffsetInfo: starts.join(';') };
    return responseTo(request, 0, 'FOUND', fields, Buffer.concat(records));
  }

  acknowledge(request: RemotingCommand): RemotingCommand {
    const { consumerGroup, extraInfo, queueId, offset } = request.fields;
    const key = `${consumerGroup} ${extraInfo}`;
    const left = this.#outstanding.get(key) ?? 0;
    if (left === 0 || extraInfo?.endsWith(` ${queueId} ${offset}`) !== true)
      return responseTo(request, 208, `nobody has ${key}`);
    if (left === 1) this.#outstanding.delete(key);
    else this.#outstanding.set(key, left - 1);
    return responseTo(request, this.ackCode(this.acknowledged++));
  }
}
