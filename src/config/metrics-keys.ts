/** Keys of the page with the metrics; RocketMQ's, where it has one. */
import type { MetricsOptions } from '../broker/metrics/options.ts';
import { host } from './domains.ts';
import { choice, type Domain, flag, integer, type ListenerOptions, text } from './key.ts';
import { listener } from './key-makers.ts';
import { OWN_PREFIX } from './unsupported.ts';

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** In every sample already, or given a meaning by one of the families. */
const TAKEN = [
  'cluster',
  'node_type',
  'node_id',
  'topic',
  'consumer_group',
  'le',
  'thread',
  'ring',
  'reason',
  'outcome',
  'storage_type',
  'storage_medium',
  'language',
  'version',
  'protocol_type',
  'consume_mode',
  'message_type',
  'is_system',
  'is_retry',
  'request_code',
  'response_code',
  'is_long_polling',
  'result',
  'invocation_status',
  'timer_bound_s',
  'queue_id',
  'revive_message_type',
  'put_status',
];

/** `name:value`, several separated by commas. Undefined when it is not that. */
function parseLabels(given: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const part of given.split(',').filter((one) => one.trim() !== '')) {
    const at = part.indexOf(':');
    const name = part.slice(0, at).trim();
    if (at < 1 || !LABEL.test(name) || TAKEN.includes(name)) return undefined;
    labels[name] = part.slice(at + 1).trim();
  }
  return labels;
}

export const exporterType: Domain<ListenerOptions['metricsExporterType']> = {
  ...choice('DISABLE', 'PROM'),
  explain: (given) =>
    /^(OTLP_GRPC|LOG)$/i.test(given)
      ? 'RingMQ pushes metrics nowhere: with PROM a collector, such as the OpenTelemetry one, fetches them'
      : undefined,
};

export const pagePort = integer(0, 65_535);
/** RocketMQ's. */
export const PAGE_PORT = 5557;

/** As RocketMQ: empty is the address of the broker. */
export const pageHost: Domain<string> = {
  ...host,
  parse: (given) => (given === '' ? '' : host.parse(given)),
};

const labels = text(
  `name:value, several separated by commas; names of letters, digits and _, and none of ${TAKEN.join(', ')}`,
  (given) => parseLabels(given) !== undefined,
);

export const metricsKeyList = [
  listener(
    'metricsExporterType',
    exporterType,
    'PROM: a page for Prometheus, /metrics, with /health and /ready beside it.',
  ),
  listener('metricsPromExporterPort', pagePort, 'Port of that page; 0 = any free one.'),
  listener('metricsPromExporterHost', pageHost, 'Address that it is served on.', {
    defaultText: 'bindAddress',
    guards: 'who can read the metrics',
  }),
  listener('metricsLabel', labels, 'Labels of every sample, name:value, separated by commas.'),
  listener(
    'metricsExporterNames',
    flag,
    'Show the families of rocketmq-exporter too, for dashboards that were made for it.',
    { name: `${OWN_PREFIX}metricsExporterNames` },
  ),
];

export function metricsOptions(values: ListenerOptions): MetricsOptions {
  return {
    port: values.metricsExporterType === 'PROM' ? values.metricsPromExporterPort : undefined,
    host: values.metricsPromExporterHost || values.bindAddress,
    labels: parseLabels(values.metricsLabel) ?? {},
    exporterNames: values.metricsExporterNames,
  };
}
