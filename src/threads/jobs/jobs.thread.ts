/** Entry of Piscina's workers: one named export per job. */
export { followLog } from './follow-log.ts';
