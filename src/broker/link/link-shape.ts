/** The two channels between control and one network thread, as either side is started with them. */
import type { ChannelShape } from '../../ring/channel.ts';
import type { BrokerShape } from '../../store/engine-shapes.ts';

/** What control and network thread `index` have in common; all of it can be posted. */
export interface LinkShape {
  broker: BrokerShape;
  index: number;
  linkUp: ChannelShape;
  linkDown: ChannelShape;
  /** Slot `index` holds the version of the last delta applied. */
  versions: SharedArrayBuffer;
}
