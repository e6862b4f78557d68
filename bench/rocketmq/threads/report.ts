/** The tables and sentences of `bench:threads`, as Markdown that a terminal shows too. */
import { alignedTable, integer } from '../format.ts';
import type { FlushMode } from '../scenarios.ts';
import { type Costs, carried, type KindCost, type Limit, limitsOf, type VariantCosts } from './costs.ts';
import { KINDS, type Kind } from './thread-times.ts';

export interface VariantResult extends VariantCosts {
  name: string;
  title: string;
}

export interface ShapeResult {
  name: string;
  title: string;
  flush: FlushMode;
  variants: VariantResult[];
}

/** What costs less has no end that a clock of 10 ms could tell. */
const MANY = 5_000_000;

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function micros(value: number): string {
  return value < 0.005 ? '0' : value.toFixed(2);
}

function cell(cost: KindCost | undefined, text: (cost: KindCost) => string): string {
  return cost === undefined ? '–' : text(cost);
}

/** Writer and dispatcher share a thread in the layout `paired`, which is the writer's. */
export function titleOf(kind: Kind, costs: Costs): string {
  return kind === 'writer' && costs.dispatcher === undefined ? 'writer with dispatcher' : kind;
}

function variantTitle({ title, costs }: VariantResult): string {
  const network = costs.network?.threads ?? 0;
  const shared = costs.dispatcher === undefined ? ', writer with dispatcher' : '';
  return title.startsWith('this') ? `${title} (${network} network${shared})` : title;
}

function costTable(variants: readonly VariantResult[]): string {
  const beside = ['generator', 'other programs'];
  const head = ['µs of CPU a message', 'messages a second', ...KINDS, 'a network thread', ...beside];
  const both = ({ micros: all, system }: KindCost): string => `${micros(all)} (${micros(system)})`;
  const rows = variants.map((variant) => [
    variantTitle(variant),
    integer(variant.rate),
    ...KINDS.map((kind) => cell(variant.costs[kind], both)),
    cell(variant.costs.network, ({ micros: all, threads }) => micros(all / threads)),
    micros(variant.generator),
    percent(variant.foreignShare),
  ]);
  return alignedTable([head, ...rows]);
}

function carriedTable(variants: readonly VariantResult[]): string {
  const kinds = KINDS.filter((kind) => kind !== 'others');
  const rows = variants.map((variant) => [
    variantTitle(variant),
    ...kinds.map((kind) =>
      cell(variant.costs[kind], (cost) => {
        const rate = carried(cost) ?? Number.POSITIVE_INFINITY;
        return rate > MANY ? `> ${integer(MANY)}` : integer(rate);
      }),
    ),
  ]);
  return alignedTable([['alone would carry, messages a second', ...kinds], ...rows]);
}

function sleepTable(variants: readonly VariantResult[]): string {
  const text = ({ sleeps, share }: KindCost): string => `${sleeps.toFixed(1)} (${percent(share)})`;
  const rows = variants.map((variant) => [
    variantTitle(variant),
    ...KINDS.map((kind) => cell(variant.costs[kind], text)),
  ]);
  return alignedTable([['sleeps a 1,000 messages (use of a processor)', ...KINDS], ...rows]);
}

function nameOf({ kind, threads }: Limit, costs: Costs): string {
  if (kind === 'network') return threads > 1 ? `${threads} network threads` : 'network thread';
  return titleOf(kind, costs);
}

/** What syncs leave room for, with as many messages in flight; it says nothing where they are beside the sends. */
function deviceCarries({ rate, syncShare }: VariantResult, flush: FlushMode): number | undefined {
  return flush === 'SYNC_FLUSH' && syncShare > 0 ? rate / syncShare : undefined;
}

/** With a processor for each thread: which is the limit, which is the next, and what was seen of the device. */
export function sentenceOf(variant: VariantResult, flush: FlushMode): string {
  const { costs, syncShare } = variant;
  const [first, next] = limitsOf(costs);
  if (first === undefined) return `${variantTitle(variant)}: no thread used a measurable time.`;
  const are = first.threads > 1 ? 'are' : 'is';
  const isNear = next !== undefined && next.rate <= MANY;
  const then = isNear
    ? `the next is the ${nameOf(next, costs)} at ${integer(next.rate)}`
    : 'no other is near';
  const byCpu =
    `${variantTitle(variant)}: with a processor for each thread the ${nameOf(first, costs)} ${are} the limit, ` +
    `at ${integer(first.rate)} messages a second; ${then}.`;
  const device = deviceCarries(variant, flush);
  if (device === undefined) return byCpu;
  const before = device < first.rate ? ': it comes before any thread' : '';
  return (
    `${byCpu} Syncs were under way ${percent(syncShare)} of the time: with as many in flight this device would ` +
    `carry ${integer(device)}${before}.`
  );
}

/** The limits of all, as a reader wants them first. */
export function summaryTable(results: readonly ShapeResult[]): string {
  const head = [
    'with a processor for each thread',
    ...(results[0]?.variants ?? []).map(({ title }) => title),
  ];
  const rows = results.map(({ name, flush, variants }) => [
    `\`${name}\``,
    ...variants.map((variant) => {
      const [first] = limitsOf(variant.costs);
      if (first === undefined) return '–';
      const device = deviceCarries(variant, flush) ?? Number.POSITIVE_INFINITY;
      const thread = `${integer(first.rate)}, ${nameOf(first, variant.costs)}`;
      return device < first.rate ? `${integer(device)}, device; ${thread}` : thread;
    }),
  ]);
  return alignedTable([head, ...rows]);
}

export function shapeText({ name, title, flush, variants }: ShapeResult): string {
  const tables = [costTable, carriedTable, sleepTable].map((table) => table(variants));
  const sentences = variants.map((variant) => `- ${sentenceOf(variant, flush)}`).join('\n');
  return [`## ${title} (\`${name}\`)`, tables[0], tables[1], sentences, tables[2]].join('\n\n');
}
