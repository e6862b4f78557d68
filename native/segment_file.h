// Makes the files behind segments. What is to be written is allocated for real before, so that no write in the middle of
// the log meets a full disk; a file has its whole size at once, its room as far as it is asked for.
#pragma once

#include <cstddef>
#include <string>

namespace ringmq {

/// Descriptor or -errno.
int openSegmentFile(const std::string& path);

struct SegmentSize {
  /// Length of the file.
  size_t bytes;
  /// Bytes from its beginning that are allocated when it is made.
  size_t room;
};

/// A missing file is made and synced together with its directory. Descriptor or -errno.
int openOrCreateSegmentFile(const std::string& path, const SegmentSize& size);
/// The same without leaving it open; -EINVAL when a file of another size is there. 0 or -errno. Thread-safe.
int prepareSegmentFile(const std::string& path, const SegmentSize& size);
/// What to do on a file system that cannot allocate.
enum class WithoutAllocation { kWriteZeros, kFail };
/// Allocates what [from, to) of the file has not got yet. Nothing was written there, and with `kWriteZeros` nobody
/// writes there meanwhile. 0, -ENOSPC, -EOPNOTSUPP or another -errno.
int reserveRoom(int descriptor, size_t from, size_t to, WithoutAllocation otherwise);

/// 0, -EIO for a file that was cut short, or another -errno. Does not ask for the file's times: the next write would
/// have to give it a new one then (Linux 6.13), for which a sync has more to do.
int checkWhole(int descriptor, size_t bytes);

/// Writes zeros to [from, to). 0 or -errno.
int writeZeros(int descriptor, size_t from, size_t to);
/// The directory that a path names something in.
std::string directoryOf(const std::string& path);
/// fsync of a directory. 0 or -errno.
int syncDirectory(const std::string& path);

}  // namespace ringmq
