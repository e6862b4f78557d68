/** The tables and sentences of `bench:threads`, as Markdown that a terminal shows too. */
import { alignedTable, integer } from '../format.ts';
import { type Costs, carried, type KindCost, limitsOf, type VariantCosts } from './costs.ts';
import { KINDS, type Kind } from './thread-times.ts';

export interface VariantResult extends VariantCosts {
  name: string;
  title: string;
}

export interface ShapeResult {
  name: string;
  title: string;
  variants: VariantResult[];
}

/** A sync is under way so much of the time, and the flusher has no time left for another one. */
const DEVICE_IS_FULL = 0.8;

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

/** What eight processors would do: which thread is the limit then, and what was seen of the device. */
export function sentenceOf(variant: VariantResult): string {
  const { costs, syncShare, rate } = variant;
  const [first, next] = limitsOf(costs);
  if (first === undefined) return `${variantTitle(variant)}: no thread used a measurable time.`;
  const name = ({ kind, threads }: typeof first): string =>
    threads > 1 ? `the ${threads} ${kind} threads` : `the ${titleOf(kind, costs)}`;
  const are = first.threads > 1 ? 'are' : 'is';
  const then = next === undefined ? '' : `; the next is ${name(next)} at ${integer(next.rate)}`;
  const byCpu =
    `${variantTitle(variant)}: with a processor for each thread ${name(first)} ${are} the limit, ` +
    `at ${integer(first.rate)} messages a second${then}.`;
  if (syncShare < DEVICE_IS_FULL) return byCpu;
  return (
    `${byCpu} Here syncs were under way ${percent(syncShare)} of the time, at ${integer(rate)} messages a ` +
    'second: the device comes before any thread.'
  );
}

export function shapeText({ name, title, variants }: ShapeResult): string {
  const tables = [costTable, carriedTable, sleepTable].map((table) => table(variants));
  const sentences = variants.map((variant) => `- ${sentenceOf(variant)}`).join('\n');
  return [`## ${title} (\`${name}\`)`, tables[0], tables[1], sentences, tables[2]].join('\n\n');
}
