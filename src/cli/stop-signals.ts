/**
 * What asks a server process to stop. One Ctrl-C arrives several times: the terminal sends it to every process of its
 * foreground group, and npm passes on what it got; systemd signals the whole group too. So signals that follow the
 * first at once are the same one, and only a later one means that somebody does not want to wait.
 */

/** SIGHUP: the terminal was closed. Node ends at once of it by default. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Only a process that was started with a channel hears of it: its parent has closed it, or was killed. */
const PARENT_GONE = 'the end of its parent';
/** What comes within this time is the first signal again, ms. */
const SAME_MS = 1000;

export interface SignalSource {
  on(signal: string, listener: (signal: string) => void): unknown;
}

/** Resolves with the first signal; `again` is called for one that comes more than a second later. */
export function firstSignal(
  source: SignalSource,
  now: () => number,
  again: (signal: string) => void,
): Promise<string> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: string): void => {
      first ??= now();
      if (now() - first >= SAME_MS) again(signal);
      else resolve(signal);
    };
    for (const signal of SIGNALS) source.on(signal, onSignal);
    source.on('disconnect', () => onSignal(PARENT_GONE));
  });
}
