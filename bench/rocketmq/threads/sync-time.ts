/** How long the flusher has been in syncs of the log, from the broker's page of metrics. */

/** Reads the sum of `ringmq_sync_seconds`; 0 before the first one. */
export function parseSyncSeconds(page: string): number {
  return Number(/^ringmq_sync_seconds_sum(?:\{[^}]*\})? (\S+)$/m.exec(page)?.[1] ?? 0);
}

export async function syncSeconds(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  return parseSyncSeconds(await answer.text());
}
