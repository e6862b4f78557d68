#include "file_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <unordered_set>

#include "background.h"
#include "path_lock.h"
#include "region.h"
#include "segment_file.h"

namespace ringmq {

namespace {

constexpr mode_t kFileMode = 0644;
/// From here on one sync of the whole file system is cheaper than one for each file.
constexpr size_t kManyDirtyFiles = 256;
/// Larger writes are worth their system call.
constexpr size_t kSmallWrite = 256;
/// A window is given back when its file was not written for so many syncs; not more than so many windows at once.
constexpr uint64_t kIdleSyncs = 64;
constexpr size_t kDropsPerSync = 256;
constexpr size_t kUsualMappings = 65530;
/// Levels of directories that may be new when a file is: its own, the one above, and the one that names that.
constexpr int kNewLevels = 3;

/// How many windows the process may have: the system bounds its mappings, and others need some.
size_t maxWindows() {
  static const size_t limit = [] {
    size_t mappings = kUsualMappings;
    std::ifstream("/proc/sys/vm/max_map_count") >> mappings;
    return mappings / 4 * 3;
  }();
  return limit;
}

int openExisting(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int createSparse(const std::string& path, int64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return -errno;
  if (ftruncate(descriptor, bytes) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  unlink(path.c_str());
  return -error;
}

int openOrCreate(const std::string& path, int64_t bytes, bool* created) {
  const int descriptor = openExisting(path);
  if (descriptor != -ENOENT || bytes < 0) return descriptor;
  *created = true;
  return createSparse(path, bytes);
}

/// Makes every page of the file dirty that holds something. 0 or -errno.
int touchPages(int descriptor) {
  TailWindow window;
  const off_t end = lseek(descriptor, 0, SEEK_END);
  off_t from = lseek(descriptor, 0, SEEK_DATA);
  while (from >= 0 && from < end) {
    const off_t hole = lseek(descriptor, from, SEEK_HOLE);
    const off_t to = hole < 0 ? end : hole;
    for (; from < to; from += static_cast<off_t>(pageSize())) {
      if (!window.map(descriptor, static_cast<uint64_t>(from))) return -EIO;
      if (!window.touch()) return -EIO;
    }
    from = lseek(descriptor, to, SEEK_DATA);
  }
  return 0;
}

}  // namespace

class FileCache::Use {
 public:
  Use(FileCache& cache, int32_t id) : cache_(cache) {
    std::unique_lock<std::mutex> lock(cache_.mutex_);
    file_ = cache_.find(id);
    error_ = file_ == nullptr ? -EBADF : cache_.acquire(file_, lock);
  }
  ~Use() {
    if (error_ < 0) return;
    const std::lock_guard<std::mutex> guard(cache_.mutex_);
    if (written_) cache_.markDirty(file_);
    cache_.release(file_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  int error() const { return error_; }
  int descriptor() const { return file_->descriptor; }
  /// Marks the file dirty once the write is over: a sync that runs meanwhile need not contain it.
  void written() { written_ = true; }
  /// A small write ended with this byte.
  void endedAt(uint64_t lastByte) {
    const std::lock_guard<std::mutex> guard(cache_.mutex_);
    cache_.followTail(file_, lastByte);
  }

 private:
  FileCache& cache_;
  File* file_ = nullptr;
  int error_ = 0;
  bool written_ = false;
};

FileCache& FileCache::shared() {
  // Never destroyed: worker threads may outlive the destructors of a process that exits.
  static FileCache& cache = *new FileCache();
  return cache;
}

int32_t FileCache::open(const std::string& path, int64_t bytes) {
  const PathLock pathLock(path);
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto known = byPath_.find(path);
    if (known != byPath_.end()) {
      known->second->opens += 1;
      return known->second->id;
    }
    shrinkTo(limit_ - 1);
  }
  bool created = false;
  int descriptor = openOrCreate(path, bytes, &created);
  if (descriptor == -EMFILE || descriptor == -ENFILE) {
    const std::lock_guard<std::mutex> guard(mutex_);
    shrinkTo(0);
    descriptor = openOrCreate(path, bytes, &created);
  }
  if (descriptor < 0) return descriptor;
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return -EINVAL;
  }
  const std::lock_guard<std::mutex> guard(mutex_);
  if (created) noteCreation(path);
  watch(status.st_dev, path);
  auto* file = new File{++lastId_, path, status.st_dev};
  byId_[file->id] = file;
  byPath_[path] = file;
  adopt(file, descriptor);
  shrinkTo(limit_);
  return file->id;
}

bool FileCache::close(int32_t id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  File* file = find(id);
  if (file == nullptr) return false;
  file->opens -= 1;
  if (file->opens > 0) return true;
  byId_.erase(file->id);
  byPath_.erase(file->path);
  forgetIfUnused(file);
  return true;
}

void FileCache::setLimit(size_t descriptors) {
  const std::lock_guard<std::mutex> guard(mutex_);
  limit_ = descriptors;
  shrinkTo(limit_);
}

int64_t FileCache::read(int32_t id, uint64_t offset, uint8_t* target, size_t length) {
  const Use use(*this, id);
  if (use.error() < 0) return use.error();
  size_t done = 0;
  while (done < length) {
    const ssize_t count = pread(use.descriptor(), target + done, length - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<int64_t>(done);
}

int64_t FileCache::write(int32_t id, uint64_t offset, const uint8_t* source, size_t length) {
  const bool small = length > 0 && length <= kSmallWrite;
  if (small && writeToWindow(id, offset, source, length)) return static_cast<int64_t>(length);
  Use use(*this, id);
  if (use.error() < 0) return use.error();
  use.written();
  size_t done = 0;
  while (done < length) {
    const ssize_t count = pwrite(use.descriptor(), source + done, length - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    done += static_cast<size_t>(count);
  }
  if (small) use.endedAt(offset + length - 1);
  return static_cast<int64_t>(done);
}

/// False when there is no such window, or when it failed: a write call then does it, or says what is wrong.
bool FileCache::writeToWindow(int32_t id, uint64_t offset, const uint8_t* source, size_t length) {
  File* file;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    file = find(id);
    if (file == nullptr || !file->window.covers(offset, length)) return false;
    file->users += 1;
  }
  const bool reached = file->window.copy(offset, source, length);
  const std::lock_guard<std::mutex> guard(mutex_);
  if (reached) {
    markDirty(file);
  } else {
    file->window.abandon();
  }
  release(file);
  return reached;
}

/// Has the page mapped in which small writes ended twice in a row, unless another thread is at work on the file.
void FileCache::followTail(File* file, uint64_t lastByte) {
  const uint64_t page = lastByte / pageSize();
  const bool again = file->tailPage == page;
  file->tailPage = page;
  if (!again || file->users > 1 || file->window.covers(lastByte, 1)) return;
  if (!file->window.mapped() && windowed_.size() >= maxWindows()) return;
  if (file->window.map(file->descriptor, lastByte)) {
    windowed_.insert(file);
  } else {
    windowed_.erase(file);
  }
}

void FileCache::dropWindow(File* file) {
  if (windowed_.erase(file) > 0) file->window.unmap();
  file->tailPage = ~uint64_t{0};
}

void FileCache::dropIdleWindows() {
  std::vector<File*> idle;
  for (File* file : windowed_) {
    if (file->users == 0 && !file->dirty && file->lastSync + kIdleSyncs < syncs_) idle.push_back(file);
    if (idle.size() == kDropsPerSync) break;
  }
  for (File* file : idle) dropWindow(file);
}

int64_t FileCache::size(int32_t id) {
  const Use use(*this, id);
  if (use.error() < 0) return use.error();
  struct stat status;
  return fstat(use.descriptor(), &status) == 0 ? static_cast<int64_t>(status.st_size) : -errno;
}

int FileCache::syncDirty() {
  const std::lock_guard<std::mutex> oneAtATime(syncing_);
  const Batch batch = takeDirty();
  const int result = syncBatch(batch);
  const std::lock_guard<std::mutex> guard(mutex_);
  if (result < 0) putBack(batch);
  for (File* file : batch.files) {
    file->awaitedSyncs -= 1;
    forgetIfUnused(file);
  }
  return result;
}

FileCache::Batch FileCache::takeDirty() {
  const std::lock_guard<std::mutex> guard(mutex_);
  Batch batch;
  batch.files.swap(dirty_);
  batch.directories.swap(newDirectories_);
  // Cleared before the sync: a write from here on belongs to the next one.
  for (File* file : batch.files) {
    watch(file->device, file->path);
    if (file->unwatched) batch.unwatched.insert(file->device);
    file->unwatched = false;
    file->dirty = false;
    file->lastSync = syncs_;
  }
  syncs_ += 1;
  dropIdleWindows();
  return batch;
}

/// A file that could not be opened keeps its pages; any other failure may have lost some, and is the one to tell.
static bool losesNothing(int outcome) {
  return outcome == -EMFILE || outcome == -ENFILE || outcome == -ENOMEM;
}

int FileCache::syncBatch(const Batch& batch) {
  int result = 0;
  const auto note = [&result](int outcome) {
    if (result == 0 || (losesNothing(result) && outcome != 0)) result = outcome;
  };
  std::unordered_set<dev_t> whole = batch.unwatched;
  if (batch.files.size() + batch.directories.size() >= kManyDirtyFiles) {
    for (const File* file : batch.files) whole.insert(file->device);
    for (File* file : batch.files) {
      if (file->lost) note(syncFile(file));
    }
  } else {
    for (File* file : batch.files) note(syncFile(file));
    for (const std::string& directory : batch.directories) {
      const int outcome = syncDirectory(directory);
      // Deleted since; or one that nobody may list, in which we have made nothing then.
      if (outcome != -ENOENT && outcome != -EACCES) note(outcome);
    }
  }
  for (const dev_t device : whole) note(syncFileSystem(device));
  return result;
}

/// After a failure nobody knows which file it was, or which of its pages: all of them count as not written.
void FileCache::putBack(const Batch& batch) {
  for (File* file : batch.files) {
    file->lost = true;
    markDirty(file);
  }
  newDirectories_.insert(batch.directories.begin(), batch.directories.end());
}

int FileCache::syncFile(File* file) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const int error = acquire(file, lock);
    // Deleted since it was written: nobody will read it again.
    if (error < 0) return error == -ENOENT ? 0 : error;
  }
  int result = file->lost ? touchPages(file->descriptor) : 0;
  if (result == 0) result = fdatasync(file->descriptor) == 0 ? 0 : -errno;
  const std::lock_guard<std::mutex> guard(mutex_);
  if (result == 0) file->lost = false;
  release(file);
  return result;
}

int FileCache::syncFileSystem(dev_t device) {
  int watcher = -1;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto found = watchers_.find(device);
    if (found != watchers_.end()) watcher = found->second;
  }
  if (watcher < 0) return -EMFILE;
  return syncfs(watcher) == 0 ? 0 : -errno;
}

/// Without a watcher, for want of descriptors, the syncs that need one fail, and the next one tries again.
void FileCache::watch(dev_t device, const std::string& path) {
  if (watchers_.count(device) > 0) return;
  const int descriptor = ::open(directoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) watchers_[device] = descriptor;
}

/// The file's name, and those of the two directories above, which may be new as well: a queue's and its topic's.
void FileCache::noteCreation(const std::string& path) {
  std::string directory = path;
  for (int level = 0; level < kNewLevels; level += 1) {
    directory = directoryOf(directory);
    newDirectories_.insert(directory);
  }
}

FileCache::File* FileCache::find(int32_t id) {
  const auto found = byId_.find(id);
  return found == byId_.end() ? nullptr : found->second;
}

int FileCache::acquire(File* file, std::unique_lock<std::mutex>& lock) {
  file->users += 1;
  if (file->descriptor >= 0) {
    recency_.splice(recency_.end(), recency_, file->position);
    return 0;
  }
  shrinkTo(limit_ - 1);
  const int descriptor = openAgain(file, lock);
  if (descriptor < 0) {
    release(file);
    return descriptor;
  }
  // Another thread may have opened it meanwhile.
  if (file->descriptor >= 0) {
    ::close(descriptor);
  } else {
    adopt(file, descriptor);
  }
  return 0;
}

/// Without the lock: a cold directory entry is read from the disk, and other threads' reads must not wait for that.
int FileCache::openAgain(const File* file, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  int descriptor = openExisting(file->path);
  lock.lock();
  if (descriptor == -EMFILE || descriptor == -ENFILE) {
    // The rest of the process used up the descriptors: live with fewer than the limit for now.
    shrinkTo(0);
    descriptor = openExisting(file->path);
  }
  return descriptor;
}

void FileCache::release(File* file) {
  file->users -= 1;
  forgetIfUnused(file);
  shrinkTo(limit_);
}

void FileCache::forgetIfUnused(File* file) {
  if (file->opens > 0 || file->users > 0 || file->awaitedSyncs > 0) return;
  if (file->descriptor >= 0) closeDescriptor(file);
  dropWindow(file);
  delete file;
}

void FileCache::markDirty(File* file) {
  if (file->dirty) return;
  file->dirty = true;
  file->awaitedSyncs += 1;
  dirty_.push_back(file);
}

void FileCache::adopt(File* file, int descriptor) {
  file->descriptor = descriptor;
  file->position = recency_.insert(recency_.end(), file);
}

void FileCache::shrinkTo(size_t limit) {
  for (auto entry = recency_.begin(); recency_.size() > limit && entry != recency_.end();) {
    File* file = *entry;
    ++entry;
    if (file->users == 0) closeDescriptor(file);
  }
}

void FileCache::closeDescriptor(File* file) {
  // A mapped window keeps the file in memory as well as a descriptor does.
  if (file->awaitedSyncs > 0 && !file->window.mapped()) file->unwatched = true;
  recency_.erase(file->position);
  closeFile(file->descriptor);
  file->descriptor = -1;
}

}  // namespace ringmq
