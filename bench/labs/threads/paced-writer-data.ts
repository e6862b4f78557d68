/** What the writer of the lab "page-cache" is given, and what it tells. */
export interface PacedWriterData {
  path: string;
  bytes: number;
}

export interface Stint {
  millis: number;
}

export interface StintReport {
  appendP50: number;
  appendP99: number;
  syncP50: number;
  syncP99: number;
}
