// Work that may take long and that nobody waits for, in a thread of its own.
#pragma once

namespace ringmq {

/// Closes a descriptor. Of an unlinked file that frees its blocks, which takes a while for a gigabyte.
void closeInBackground(int descriptor);

}  // namespace ringmq
