/**
 * Keeps this thread's event loop from sleeping, so that a latency holds the server's time and not the client's
 * wake-up, which on a virtual machine takes longer than many an answer.
 */
import { addon } from '../../src/native/addon.ts';

/**
 * From now on the loop asks its sockets without waiting, and calls `onLook` each time, until the function that this
 * returns is called.
 */
export function stayAwake(onLook: () => void = () => {}): () => void {
  let awake = true;
  const look = (): void => {
    if (!awake) return;
    onLook();
    // Others come first: the server may have no other processor.
    addon.yieldProcessor();
    setImmediate(look);
  };
  setImmediate(look);
  return () => {
    awake = false;
  };
}
