/** One-shot timers behind an interface, the companion of Clock: tests advance both together. */
export interface Timers {
  /** Runs `task` once after `delayMs`; the result cancels it (harmless when it has run already). */
  after(delayMs: number, task: () => void): () => void;
}

/** Node's timers. They do not keep the process alive: sockets and threads decide that. */
export const systemTimers: Timers = {
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    handle.unref();
    return () => clearTimeout(handle);
  },
};
