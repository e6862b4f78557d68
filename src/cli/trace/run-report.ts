/** The report of a message that this command has sent: stage by stage, step by step. */
import { SCHEDULE_TOPIC, TIMER_TOPIC } from '../../lib/names.ts';
import { messageIdOf } from '../../record/decode.ts';
import { appendedStep, durableStep, positionsStep, ringStep } from './engine-steps.ts';
import { type Hop, hopsOf } from './hops.ts';
import { copiedStep, frameStep, since, writtenStep } from './network-steps.ts';
import { positionOf } from './pieces/stored.ts';
import { type Report, type Stage, type Step, spanOfTime, step } from './report.ts';
import type { Delivery, Run } from './scenario.ts';
import { spansOf } from './spans.ts';
import { indexStep, messagesOf, queueStep, timerPieces } from './store-steps.ts';

export function reportOf(run: Run): Report {
  const hops = hopsOf(run);
  const stages = hops.flatMap((hop, i) => stagesOf(run, hop, i));
  return {
    title: titleOf(run),
    facts: [...(run.target.own?.facts ?? attachedFacts(run)), ...messageFacts(run, hops)],
    stages,
    spans: spansOf(run, hops),
  };
}

function titleOf({ plan, target }: Run): string {
  const kinds = [
    plan.count > 1 ? `a batch of ${plan.count} messages` : 'a message',
    plan.delayLevel !== undefined ? `with delay level ${plan.delayLevel}` : '',
    plan.delayMs !== undefined ? `with a delay of ${plan.delayMs} ms` : '',
    plan.retry ? 'that its consumer gives back' : '',
  ];
  return `The way of ${kinds.filter((kind) => kind !== '').join(' ')} to ${target.place.topic}`;
}

function attachedFacts({ target }: Run): [string, string][] {
  const { place, store } = target;
  return [
    [
      'broker',
      `${place.broker} at ${place.address}, which knows nothing of this trace: its threads are not seen`,
    ],
    ['store', store?.root ?? 'not given (--store): only what the protocol tells is seen'],
  ];
}

function messageFacts({ keys, target, plan }: Run, hops: readonly Hop[]): [string, string][] {
  const last = hops.at(-1);
  const message = last && messagesOf(last)[0];
  const facts: [string, string][] = [['unique key', keys.join(', ')]];
  if (message !== undefined) facts.push(['message id', messageIdOf(message)]);
  if (plan.warm > 0 && target.own !== undefined)
    facts.push([
      'before it',
      `${plan.warm} messages, so that the code is compiled (--warm 0 shows the first of a broker)`,
    ]);
  return facts;
}

/** A stage for the hop, and one for the delivery that it led to. */
function stagesOf(run: Run, hop: Hop, index: number): Stage[] {
  const steps: Step[] = [];
  if (index === 0) steps.push(frameStep(run, run.sent, 'the producer'));
  else if (isGivenBack(run, hop) && run.givenBack) steps.push(frameStep(run, run.givenBack, 'the consumer'));
  steps.push(ringStep(run, hop), appendedStep(run, hop), positionsStep(run, hop));
  for (const made of [queueStep(run.target.store, hop), indexStep(run.target.store, hop)])
    steps.push(dispatchedStep(run, hop, made));
  steps.push(durableStep(run, hop, index));
  const stages = [{ title: hopTitle(run, hop, index), text: hopText(hop), steps }];
  const delivery = deliveryOf(run, hop);
  if (delivery !== undefined) stages.push(consumedStage(run, delivery));
  const waiting = index === 0 ? waitingStage(run) : undefined;
  return waiting === undefined ? stages : [...stages, waiting];
}

/** Queue entry and index entries are made in one round of the dispatcher. */
function dispatchedStep(run: Run, { dispatched }: Hop, made: Step): Step {
  if (dispatched === undefined) return made;
  const took = spanOfTime(dispatched.ended - dispatched.began);
  const when = `The dispatcher entered it in a round of ${took}, in which it made the entries of queue and index.`;
  return {
    ...made,
    text: made.number === 5 ? [when, ...made.text] : made.text,
    began: since(run, dispatched.began),
    ended: since(run, dispatched.ended),
  };
}

function isGivenBack(run: Run, hop: Hop): boolean {
  return run.givenBack !== undefined && messagesOf(hop)[0]?.topic === SCHEDULE_TOPIC;
}

function hopTitle(run: Run, hop: Hop, index: number): string {
  const topic = messagesOf(hop)[0]?.topic ?? run.target.place.topic;
  if (index === 0) return 'The message is sent';
  if (isGivenBack(run, hop)) return 'Its consumer gives it back';
  return `It is due: delivery puts it into ${topic}`;
}

function hopText(hop: Hop): string[] {
  const [message] = messagesOf(hop);
  if (message === undefined) return [];
  const real = message.properties.get('REAL_TOPIC');
  const where = `${message.topic}, queue ${message.queueId}`;
  if (message.topic === SCHEDULE_TOPIC)
    return [
      `It waits for its delay level in ${where}; property REAL_TOPIC says that it then goes to ${real}.`,
    ];
  if (message.topic === TIMER_TOPIC)
    return [`It waits for its time in ${where}; property REAL_TOPIC says that it then goes to ${real}.`];
  const by = hop.participant === undefined ? '' : ` by the ring of ${hop.participant}`;
  return [`It goes into ${where}${by}.`];
}

/** What lies in the timing wheel between the two. */
function waitingStage(run: Run): Stage | undefined {
  if (run.plan.delayMs === undefined) return undefined;
  const text = [
    'The delivery thread reads the queue of the timer topic and enters the message into the wheel.',
  ];
  const seen = run.timer;
  if (seen === undefined) {
    const why =
      run.target.store === undefined
        ? 'Wheel and timer log are files of the broker: give --store to see them.'
        : 'The message came before wheel and timer log had been written to their files (once a second): a longer delay shows them.';
    return { title: 'It waits in the timing wheel', text: [...text, why], steps: [] };
  }
  const wheel = {
    ...step(0, { pieces: timerPieces(seen) }),
    title: 'Slot of the wheel, unit of the timer log',
  };
  const slots = `A slot is ${seen.precisionMs} ms long; its chain goes back through the timer log, unit by unit.`;
  return { title: 'It waits in the timing wheel', text: [...text, slots], steps: [wheel] };
}

function deliveryOf({ deliveries }: Run, hop: Hop): Delivery | undefined {
  const [record] = hop.records;
  return deliveries.find(({ records }) => records.some((bytes) => positionOf(bytes) === record?.position));
}

function consumedStage(run: Run, delivery: Delivery): Stage {
  return {
    title: 'A consumer gets it',
    text: ['Its pull was waiting at the broker before the message came (long polling).'],
    steps: [copiedStep(run, delivery), writtenStep(run, delivery)],
  };
}
