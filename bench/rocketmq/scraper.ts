/** A Prometheus that fetches the page of a broker's metrics every second, as one in production does. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { prometheusProgram } from '../../test/interop/support/prometheus.ts';
import type { RunFolder } from './cleanup.ts';
import { freePort } from './ports.ts';

export const SCRAPER_READY = 'ready to receive web requests';

/** Lines of broker.conf by which the page is served. */
export function metricsConf(port: number): Readonly<Record<string, string>> {
  return { metricsExporterType: 'PROM', metricsPromExporterPort: String(port) };
}

/** Starts it; `SCRAPER_READY` in `log` says when it is there. */
export async function launchScraper(
  folder: RunFolder,
  home: string,
  target: number,
  log: string,
): Promise<ChildProcess> {
  const config = path.join(home, 'prometheus.yml');
  const job = `job_name: ringmq, static_configs: [{ targets: ['127.0.0.1:${target}'] }]`;
  fs.writeFileSync(config, `global: { scrape_interval: 1s }\nscrape_configs: [{ ${job} }]\n`);
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${path.join(home, 'prometheus')}`];
  args.push(`--web.listen-address=127.0.0.1:${await freePort()}`);
  return folder.start({ command: prometheusProgram('prometheus'), args, cwd: home, log });
}
