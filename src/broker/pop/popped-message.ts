/** The message that an acknowledgement or a change of its time names, with RocketMQ's checks in its order. */
import { LITE_QUEUE_ID, liteQueueOf } from '../../lib/lite-names.ts';
import { isBlank } from '../../lib/names.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import type { QueueDirectory } from '../../store/queue/queue-directory.ts';
import { lookUp, type NetworkView, type TopicView } from '../view/network-view.ts';
import { AckFields } from './ack-fields.ts';
import { bindProblem, type Refusal, refusal } from './pop-checks.ts';
import { emptyReceipt, ORDERED, readReceipt } from './receipt.ts';

export class PoppedMessage {
  readonly fields = new AckFields();
  readonly receipt = emptyReceipt();
  topic: TopicView | undefined;
  readonly #view: NetworkView;
  readonly #directory: QueueDirectory;

  constructor(view: NetworkView, directory: QueueDirectory) {
    this.#view = view;
    this.#directory = directory;
  }

  /** What is wrong with it; undefined: the fields of this say what is named. `reviveQueues`: how many there are. */
  read(request: RequestView, reviveQueues: number): Refusal | undefined {
    const { fields } = this;
    fields.locate(request);
    if (fields.problem !== undefined) {
      return refusal(ResponseCode.SYSTEM_ERROR, `the custom field <${fields.problem}> is null`);
    }
    const isLite = fields.liteTopic !== ABSENT && !isBlank(request.fields.text(fields.liteTopic));
    if (isLite) return this.#targetProblem(request) ?? this.#liteProblem(request, reviveQueues);
    return (
      this.#targetProblem(request) ??
      this.#rangeProblem(request) ??
      this.#receiptProblem(request, reviveQueues)
    );
  }

  #targetProblem(request: RequestView): Refusal | undefined {
    const { fields } = this;
    const table = request.fields;
    this.topic = lookUp(this.#view.topics, table, fields.topic);
    if (this.topic === undefined) {
      const name = table.text(fields.topic);
      return refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${name}] not exist, apply first please!`);
    }
    const { name, readQueueNums } = this.topic;
    if (fields.queueId < 0 || fields.queueId >= readQueueNums) {
      const remark = `queueId[${fields.queueId}] is illegal, topic:[${name}] topicConfig.readQueueNums:`;
      return refusal(ResponseCode.MESSAGE_ILLEGAL, `${remark}[${readQueueNums}]`);
    }
    const group = lookUp(this.#view.groups, table, fields.group);
    if (group?.config.consumeEnable) return undefined;
    const groupName = table.text(fields.group);
    return group === undefined
      ? refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `subscription group [${groupName}] does not exist`)
      : refusal(ResponseCode.NO_PERMISSION, `subscription group no permission, ${groupName}`);
  }

  /** From here on its topic is the queue of the lite topic. */
  #liteProblem(request: RequestView, reviveQueues: number): Refusal | undefined {
    const { fields } = this;
    const parent = this.topic?.name ?? '';
    const group = lookUp(this.#view.groups, request.fields, fields.group);
    const isAck = request.code === RequestCode.ACK_MESSAGE;
    const problem = bindProblem(group?.config.lite, group?.config.name ?? '', parent);
    if (problem !== undefined) return problem;
    const queue = liteQueueOf(parent, request.fields.text(fields.liteTopic));
    this.topic = this.#view.topics.getByName(queue);
    if (this.topic === undefined) {
      return refusal(
        ResponseCode.NO_MESSAGE,
        `offset is illegal: the lite topic with the queue ${queue} is empty`,
      );
    }
    const { queueId } = fields;
    fields.queueId = LITE_QUEUE_ID;
    const illegal = this.#rangeProblem(request) ?? this.#receiptProblem(request, reviveQueues);
    if (illegal !== undefined) return illegal;
    if (queueId === LITE_QUEUE_ID && this.receipt.reviveQueueId === ORDERED) return undefined;
    const what = isAck ? 'ack' : 'change';
    return refusal(
      ResponseCode.INVALID_PARAMETER,
      `${what} queue illegal: a lite topic has the queue 0, and an order`,
    );
  }

  #rangeProblem(request: RequestView): Refusal | undefined {
    const { topic, fields } = this;
    const { queueId, offset } = fields;
    const queue = topic?.queues[queueId];
    const min = queue === undefined ? 0 : this.#directory.minimum(queue.id);
    const max = queue === undefined ? 0 : this.#directory.maximum(queue.id);
    const isAck = request.code === RequestCode.ACK_MESSAGE;
    if (offset >= min && (offset < max || (isAck && offset === max))) return undefined;
    const remark = `offset is illegal, key:${topic?.name}@${queueId}, commit:${offset}, store:${min}~${max}`;
    return refusal(ResponseCode.NO_MESSAGE, remark);
  }

  #receiptProblem({ fields: table }: RequestView, reviveQueues: number): Refusal | undefined {
    const { receipt: field } = this.fields;
    const text = table.isEscaped(field) ? Buffer.from(table.text(field)) : undefined;
    const bytes = text ?? table.bytes;
    const at = text === undefined ? table.valueStart(field) : 0;
    const length = text?.length ?? (table.valueLength[field] as number);
    const problem = readReceipt(bytes, at, length, reviveQueues, this.receipt);
    return problem === undefined ? undefined : refusal(ResponseCode.SYSTEM_ERROR, problem);
  }
}
