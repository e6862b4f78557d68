/** Entry of Piscina's workers: one named export per job. */
export { followLog } from '../../store/retention/follow-log.ts';
