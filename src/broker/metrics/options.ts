/** How metrics are exported: RocketMQ's keys metricsExporterType, metricsPromExporterPort and so on. */

export interface MetricsOptions {
  /** Undefined = not at all; 0 = any free port. */
  port: number | undefined;
  /** Address to listen on. */
  host: string;
  /** In every sample, beside those that say which broker it is. */
  labels: Readonly<Record<string, string>>;
  /** Families of rocketmq-exporter too. */
  exporterNames: boolean;
}
