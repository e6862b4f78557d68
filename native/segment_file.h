// Makes the files behind segments: allocated for real, so that a store to a mapped page never meets a full disk.
#pragma once

#include <cstddef>
#include <string>

namespace ringmq {

/// Descriptor or -errno.
int openSegmentFile(const std::string& path);
/// A missing file is made with `bytes` bytes and synced together with its directory. Descriptor or -errno.
int openOrCreateSegmentFile(const std::string& path, size_t bytes);
/// The same without leaving it open; -EINVAL when a file of another size is there. 0 or -errno. Thread-safe.
int prepareSegmentFile(const std::string& path, size_t bytes);

/// Writes zeros to [from, to). 0 or -errno.
int writeZeros(int descriptor, size_t from, size_t to);
/// The directory that a path names something in.
std::string directoryOf(const std::string& path);
/// fsync of a directory. 0 or -errno.
int syncDirectory(const std::string& path);

}  // namespace ringmq
