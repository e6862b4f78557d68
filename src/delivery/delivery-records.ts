/** What travels to the delivery agent: what the dispatcher is told of queues (dispatcher-records.ts), and this. */

/** No message that becomes due is put any more; those under way still end. No payload. */
export const DELIVERY_STOPS = 16;
/** JSON of DeliveryLimits. */
export const DELIVERY_LIMITS = 17;

export interface DeliveryLimits {
  /** Deliveries of one delay level that may be under way. */
  maxPending: number;
}
