/** The paging that requests 21 and 201 share. */
import type { BrokerSettings } from '../../metadata/settings.ts';

export interface Page {
  first: number;
  count: number;
  /** JSON text of the version that the caller's earlier pages had. */
  dataVersion: string | undefined;
}

/** Undefined: the caller gets everything, because it gave no header field or paging is switched off. */
export function pageOf(
  settings: BrokerSettings,
  dataVersion: string | undefined,
  first: number | undefined,
  count: number | undefined,
): Page | undefined {
  const wanted = dataVersion !== undefined || first !== undefined || count !== undefined;
  if (!settings.enableSplitMetadata || !wanted) return undefined;
  return {
    first: first ?? 0,
    count: Math.min(settings.splitMetadataSize, count ?? Number.MAX_SAFE_INTEGER),
    dataVersion,
  };
}
