/** How far replication is, as operators see it. */

/** A slave of a master. */
export interface SlaveState {
  /** `host:port` of its connection. */
  address: string;
  /** End of what it says to have; below 0 = it has said nothing yet. */
  acknowledged: number;
  /** Position of the next byte that it is sent. */
  next: number;
  /** Bytes between the master's end and what it has. */
  behind: number;
  /** Ms between the store times of the first message that it lacks and of the newest; undefined = unknown. */
  behindMs: number | undefined;
  /** Whether it is near enough to the end to count. */
  inSync: boolean;
  /** Bytes of the last whole second. */
  rate: number;
}

/** The master of a slave. */
export interface MasterState {
  /** `host:port` of its replication port; '' = not known yet. */
  address: string;
  isConnected: boolean;
  /** Ms since the epoch; 0 = never. */
  lastReadAt: number;
  lastWriteAt: number;
}

/** Of a master its slaves, of a slave its master. */
export type ReplicationStatus = { slaves: readonly SlaveState[] } | { master: MasterState };
