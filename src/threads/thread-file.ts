/** Where the entry files of threads lie: a thread is started from the same kind of build as its parent. */

/** Defined by packaging/steps/bundle.mjs, which puts all entries side by side; nowhere else. */
declare const RINGMQ_BUNDLE: true | undefined;

const BUNDLED = typeof RINGMQ_BUNDLE !== 'undefined';

/** `.ts` when sources run, `.js` when the compiler's output does. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** URL of `src/<folder>/<name>.thread`, or of what the build made of it. */
export function threadFile(folder: string, name: string): URL {
  return new URL(
    BUNDLED ? `./${name}.thread.cjs` : `../${folder}/${name}.thread${EXTENSION}`,
    import.meta.url,
  );
}
