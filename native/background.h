// Work that may take long and that nobody waits for, in a thread of its own.
#pragma once

namespace ringmq {

/// Closes a descriptor; in the background that of an unlinked file: whoever leaves it last frees its blocks, which takes
/// a while for a gigabyte, and may be the writer.
void closeFile(int descriptor);

}  // namespace ringmq
