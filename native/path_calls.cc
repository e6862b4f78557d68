#include "path_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <unordered_set>

#include "arguments.h"
#include "segment_file.h"

namespace ringmq {

namespace {

constexpr mode_t kFileMode = 0644;

// What `lockFile` gave out, so that `unlockFile` closes nobody else's descriptor.
std::mutex& locksMutex = *new std::mutex();
auto& locks = *new std::unordered_set<int>();

int zeroRange(int descriptor, off_t from, off_t to) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -errno;
  to = std::min(to, status.st_size);
  if (from >= to) return 0;
  // A hole reads as zeros and takes no room; who writes there reserves it first, or has a sparse file anyway.
  if (fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from) != 0) {
    const int result = writeZeros(descriptor, static_cast<size_t>(from), static_cast<size_t>(to));
    if (result < 0) return result;
  }
  return fdatasync(descriptor) == 0 ? 0 : -errno;
}

int zeroFileRange(const std::string& path, uint64_t from, uint64_t to) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  const int result = zeroRange(descriptor, static_cast<off_t>(from), static_cast<off_t>(to));
  close(descriptor);
  return result;
}

int lockFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return -errno;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  if (fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
    const int error = errno == EACCES ? EAGAIN : errno;
    close(descriptor);
    return -error;
  }
  const std::lock_guard<std::mutex> guard(locksMutex);
  locks.insert(descriptor);
  return descriptor;
}

bool unlockFile(int descriptor) {
  const std::lock_guard<std::mutex> guard(locksMutex);
  if (locks.erase(descriptor) == 0) return false;
  close(descriptor);
  return true;
}

/// Where data begins at or behind `from`: neither a hole nor an extent that was never written, as the file system and
/// the page cache know. -1 when there is none; `from` when nobody knows.
double firstData(const std::string& path, uint64_t from) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return static_cast<double>(from);
  const off_t data = lseek(descriptor, static_cast<off_t>(from), SEEK_DATA);
  const int error = data < 0 ? errno : 0;
  close(descriptor);
  if (error == ENXIO) return -1;
  return static_cast<double>(error != 0 ? from : static_cast<uint64_t>(data));
}

int dropFileCache(const std::string& path, uint64_t from, uint64_t length) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  const int error =
      posix_fadvise(descriptor, static_cast<off_t>(from), static_cast<off_t>(length), POSIX_FADV_DONTNEED);
  close(descriptor);
  return -error;
}

}  // namespace

Napi::Value zeroFileRangeCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t from = arguments.offset(1);
  const uint64_t to = arguments.offset(2);
  arguments.require(from <= to);
  if (!arguments.valid()) return arguments.reject("zeroFileRange: needs path, from <= to");
  return arguments.answer(zeroFileRange(path, from, to));
}

Napi::Value syncDirectoryCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  if (!arguments.valid()) return arguments.reject("syncDirectory: needs a path");
  return arguments.answer(syncDirectory(path));
}

Napi::Value firstDataCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t from = arguments.offset(1);
  if (!arguments.valid()) return arguments.reject("firstData: needs path, from");
  return Napi::Number::New(info.Env(), firstData(path, from));
}

Napi::Value lockFileCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  if (!arguments.valid()) return arguments.reject("lockFile: needs a path");
  return arguments.answer(lockFile(path));
}

Napi::Value unlockFileCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t descriptor = arguments.integer(0);
  if (!arguments.valid() || !unlockFile(descriptor)) return arguments.reject("unlockFile: not a lock");
  return {};
}

Napi::Value dropFileCacheCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  if (!arguments.valid()) return arguments.reject("dropFileCache: needs path, from, length");
  return arguments.answer(dropFileCache(path, from, length));
}

Napi::Value duplicateDescriptorCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t descriptor = arguments.integer(0);
  if (!arguments.valid()) return arguments.reject("duplicateDescriptor: needs a descriptor");
  const int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  return arguments.answer(duplicate < 0 ? -errno : duplicate);
}

}  // namespace ringmq
