/** Why the files of timers cannot be used as they are: then they are made anew from their queue. */
export class DamagedTimers extends Error {}
