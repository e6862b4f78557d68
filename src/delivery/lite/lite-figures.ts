/** What operators ask of the owner of lite topics' clients, and what it tells: control puts it into its answers. */

/** Each part if it is given. */
export interface LiteAsk {
  /** What this client of the group has. */
  client?: { clientId: string; group: string };
  /** Who has subscribed to the lite topic of this queue. */
  queue?: string;
  /** Names of the answer that are given. */
  most: number;
  /** All lite topics of the group's clients, or of this one alone, are looked at again. */
  wakes?: { group: string; clientId?: string | undefined };
}

export interface LiteFigures {
  subscriptions: number;
  /** Clients that have been heard of in the last minutes. */
  clients: number;
  client?: { count: number; queues: string[]; silentMs: number };
  subscribers: { clientId: string; group: string }[];
}

/** Where nobody has ever popped. */
export const NO_LITE_FIGURES: LiteFigures = { subscriptions: 0, clients: 0, subscribers: [] };
