/** What `ringmq doctor` says of one thing it has looked at. */

/** `bad`: it does not work so. `poor`: it works, worse than it could, or until something happens. */
export type Level = 'ok' | 'poor' | 'bad' | 'unknown';

export interface Finding {
  what: string;
  level: Level;
  /** What was found. */
  found: string;
  /** What to change, and why; '' where nothing is to be changed. */
  remedy: string;
}

export function fine(what: string, found: string): Finding {
  return { what, level: 'ok', found, remedy: '' };
}

export function poor(what: string, found: string, remedy: string): Finding {
  return { what, level: 'poor', found, remedy };
}

export function bad(what: string, found: string, remedy: string): Finding {
  return { what, level: 'bad', found, remedy };
}

export function unknown(what: string, found: string): Finding {
  return { what, level: 'unknown', found, remedy: '' };
}
