#include "segment_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "path_lock.h"

namespace ringmq {

namespace {

constexpr mode_t kFileMode = 0644;
constexpr size_t kZeroChunk = 1 << 20;
// Unit of st_blocks, whatever the file system's own blocks are.
constexpr size_t kStatBlock = 512;

int closeWith(int descriptor, int result) {
  close(descriptor);
  return result;
}

bool hasSpaceFor(int descriptor, size_t bytes) {
  struct statvfs status;
  if (fstatvfs(descriptor, &status) != 0) return true;
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize >= bytes;
}

int allocate(int descriptor, size_t from, size_t to) {
  int result;
  do {
    result = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(to - from));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

int fillAndSync(int descriptor, const SegmentSize& size) {
  if (ftruncate(descriptor, static_cast<off_t>(size.bytes)) != 0) return -errno;
  const int result = reserveRoom(descriptor, 0, size.room, WithoutAllocation::kWriteZeros);
  if (result < 0) return result;
  return fsync(descriptor) == 0 ? 0 : -errno;
}

/// Gives a nameless file its name; fails with -EEXIST when the name is taken.
int linkAs(int descriptor, const std::string& path) {
  const std::string self = "/proc/self/fd/" + std::to_string(descriptor);
  return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

/// The file gets its name when it is complete, so neither a full disk nor a kill leaves a partial one behind.
/// -EOPNOTSUPP where the file system cannot do that.
int createNameless(const std::string& path, const SegmentSize& size) {
  const int descriptor = open(directoryOf(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return -EOPNOTSUPP;
  int result = fillAndSync(descriptor, size);
  if (result < 0) return closeWith(descriptor, result);
  result = linkAs(descriptor, path);
  if (result == -EEXIST) return closeWith(descriptor, openSegmentFile(path));
  if (result < 0) return closeWith(descriptor, -EOPNOTSUPP);
  return descriptor;
}

int createInPlace(const std::string& path, const SegmentSize& size) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return errno == EEXIST ? openSegmentFile(path) : -errno;
  const int result = fillAndSync(descriptor, size);
  if (result == 0) return descriptor;
  unlink(path.c_str());
  return closeWith(descriptor, result);
}

}  // namespace

std::string directoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int openSegmentFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int openOrCreateSegmentFile(const std::string& path, const SegmentSize& size) {
  int descriptor = openSegmentFile(path);
  if (descriptor != -ENOENT) return descriptor;
  descriptor = createNameless(path, size);
  if (descriptor == -EOPNOTSUPP) descriptor = createInPlace(path, size);
  if (descriptor < 0) return descriptor;
  const int synced = syncDirectory(directoryOf(path));
  return synced < 0 ? closeWith(descriptor, synced) : descriptor;
}

int prepareSegmentFile(const std::string& path, const SegmentSize& size) {
  const PathLock lock(path);
  const int descriptor = openOrCreateSegmentFile(path, size);
  if (descriptor < 0) return descriptor;
  struct stat status;
  if (fstat(descriptor, &status) != 0) return closeWith(descriptor, -errno);
  const bool fits = S_ISREG(status.st_mode) && static_cast<size_t>(status.st_size) == size.bytes;
  return closeWith(descriptor, fits ? 0 : -EINVAL);
}

int reserveRoom(int descriptor, size_t from, size_t to, WithoutAllocation otherwise) {
  if (from >= to) return 0;
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -errno;
  // Segments fill up from the front: what is allocated lies there.
  const size_t held = static_cast<size_t>(status.st_blocks) * kStatBlock;
  const size_t missing = held >= to ? 0 : std::min(to - from, to - held);
  // Otherwise the file system would give out its last block first, to the cost of everybody else who writes.
  if (missing > 0 && !hasSpaceFor(descriptor, missing)) return -ENOSPC;
  const int result = allocate(descriptor, from, to);
  if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
  if (missing == 0) return 0;
  return otherwise == WithoutAllocation::kWriteZeros ? writeZeros(descriptor, from, to) : -EOPNOTSUPP;
}

int checkWhole(int descriptor, size_t bytes) {
  const off_t end = lseek(descriptor, 0, SEEK_END);
  if (end < 0) return -errno;
  return static_cast<size_t>(end) < bytes ? -EIO : 0;
}

int writeZeros(int descriptor, size_t from, size_t to) {
  const std::vector<char> zeros(std::min(kZeroChunk, to - from));
  while (from < to) {
    const ssize_t written =
        pwrite(descriptor, zeros.data(), std::min(zeros.size(), to - from), static_cast<off_t>(from));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -errno;
    from += static_cast<size_t>(written);
  }
  return 0;
}

int syncDirectory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  const int result = fsync(descriptor) == 0 ? 0 : -errno;
  return closeWith(descriptor, result);
}

}  // namespace ringmq
