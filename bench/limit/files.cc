#include "files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "wire.h"

namespace limit {

std::string numberedPath(const std::string& folder, uint64_t number, int digits) {
  char name[32];
  snprintf(name, sizeof name, "/%0*llu", digits, static_cast<unsigned long long>(number));
  return folder + name;
}

void makeFolder(const std::string& folder) {
  const size_t slash = folder.rfind('/');
  if (slash != std::string::npos && slash > 0) makeFolder(folder.substr(0, slash));
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) fail(folder.c_str());
}

int makeSparseFile(const std::string& path, uint64_t bytes) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0 || ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) fail(path.c_str());
  return descriptor;
}

void* mapFile(int descriptor, uint64_t bytes, int protection) {
  void* const mapped = mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  return mapped;
}

void writeAll(int descriptor, const uint8_t* bytes, size_t length, uint64_t at) {
  while (length > 0) {
    const ssize_t written = pwrite(descriptor, bytes, length, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("pwrite");
    bytes += written;
    length -= static_cast<size_t>(written);
    at += static_cast<uint64_t>(written);
  }
}

FileSupply::FileSupply(const std::string& folder, uint64_t fileBytes)
    : folder_(folder), fileBytes_(fileBytes) {
  makeFolder(folder);
  thread_ = std::thread([this] { run(); });
}

void FileSupply::run() {
  for (uint64_t start = 0;; start += fileBytes_) {
    LogFile made;
    made.descriptor = makeSparseFile(numberedPath(folder_, start), fileBytes_);
    if (fallocate(made.descriptor, 0, 0, static_cast<off_t>(fileBytes_)) != 0) fail("fallocate");
    if (fsync(made.descriptor) != 0) fail("fsync");
    made.bytes = static_cast<const uint8_t*>(mapFile(made.descriptor, fileBytes_, PROT_READ));
    std::unique_lock<std::mutex> lock(mutex_);
    next_ = made;
    const std::vector<Dropped> dropped = std::exchange(dropped_, {});
    changed_.notify_all();
    lock.unlock();
    // Whoever needs the next file may wait for it; nobody waits for this.
    for (const Dropped& file : dropped) remove(file);
    lock.lock();
    changed_.wait(lock, [this] { return ending_ || next_.descriptor < 0; });
    if (ending_) return;
  }
}

void FileSupply::remove(const Dropped& file) {
  if (munmap(const_cast<uint8_t*>(file.bytes), fileBytes_) != 0) fail("munmap");
  if (unlink(numberedPath(folder_, file.start).c_str()) != 0) fail("unlink");
}

void FileSupply::drop(uint64_t start, const uint8_t* bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  dropped_.push_back({start, bytes});
}

LogFile FileSupply::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return next_.descriptor >= 0; });
  const LogFile taken = next_;
  next_ = LogFile();
  changed_.notify_all();
  return taken;
}

void FileSupply::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

}  // namespace limit
