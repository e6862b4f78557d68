// Files that are reached by (id, range), behind a bounded number of open descriptors.
//
// Forty thousand ConsumeQueues must not cost a descriptor each. A file in the cache is opened when it is used and closed
// when too many others were used since; one that a thread works on is never closed under it. A file that grows by small
// appends has the page at its tail mapped (tail_window.h), as long as the process may have that many mappings.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tail_window.h"

namespace ringmq {

class FileCache {
 public:
  /// The cache of the process.
  static FileCache& shared();

  /// Id or -errno. A missing file is made sparse with `bytes` bytes unless `bytes` is negative.
  int32_t open(const std::string& path, int64_t bytes);
  bool close(int32_t id);
  void setLimit(size_t descriptors);

  // 0 or a count, or -errno; -EBADF for an unknown id.
  int64_t read(int32_t id, uint64_t offset, uint8_t* target, size_t length);
  int64_t write(int32_t id, uint64_t offset, const uint8_t* source, size_t length);
  int64_t size(int32_t id);
  /// When it returns 0, everything that was written or made before the call is on the device. Else the first -errno, and
  /// what is not there belongs to the next call.
  int syncDirty();

 private:
  struct File {
    int32_t id;
    std::string path;
    dev_t device;
    int32_t opens = 1;
    /// Threads that work on the descriptor: it stays open.
    int32_t users = 0;
    /// Syncs that wait for the file or work on it: it may lose its descriptor, but is not forgotten.
    int32_t awaitedSyncs = 0;
    int descriptor = -1;
    bool dirty = false;
    /// Nothing of ours kept the file in memory for a while although it was dirty: the system may have forgotten that it
    /// could not write it.
    bool unwatched = false;
    /// A sync failed: the system counts its pages as written, so they are made dirty again before the next one.
    bool lost = false;
    TailWindow window = {};
    /// Page in which the last small write ended.
    uint64_t tailPage = ~uint64_t{0};
    /// The last of the `syncDirty` calls that it was written before.
    uint64_t lastSync = 0;
    std::list<File*>::iterator position = {};
  };

  /// A file with an open descriptor that stays open until `release`.
  class Use;

  File* find(int32_t id);
  bool writeToWindow(int32_t id, uint64_t offset, const uint8_t* source, size_t length);
  void followTail(File* file, uint64_t lastByte);
  void dropWindow(File* file);
  void dropIdleWindows();
  int acquire(File* file, std::unique_lock<std::mutex>& lock);
  void release(File* file);
  void forgetIfUnused(File* file);
  int openAgain(const File* file, std::unique_lock<std::mutex>& lock);
  void markDirty(File* file);
  void adopt(File* file, int descriptor);
  void shrinkTo(size_t limit);
  void closeDescriptor(File* file);
  /// What one `syncDirty` makes durable.
  struct Batch {
    std::vector<File*> files;
    /// Directories in which files were made.
    std::unordered_set<std::string> directories;
    /// File systems of which some file was not watched.
    std::unordered_set<dev_t> unwatched;
  };

  Batch takeDirty();
  int syncBatch(const Batch& batch);
  int syncFile(File* file);
  int syncFileSystem(dev_t device);
  void putBack(const Batch& batch);
  void watch(dev_t device, const std::string& path);
  void noteCreation(const std::string& path);

  std::mutex mutex_;
  /// Held during `syncDirty`, so that a second caller does not return before the files that the first one took are
  /// durable.
  std::mutex syncing_;
  std::unordered_map<int32_t, File*> byId_;
  std::unordered_map<std::string, File*> byPath_;
  /// Files with a descriptor, the least recently used first.
  std::list<File*> recency_;
  std::vector<File*> dirty_;
  std::unordered_set<std::string> newDirectories_;
  /// A descriptor of each file system in use, open since before anything was written: it hears of every write there that
  /// failed, also in files that have no descriptor any more.
  std::unordered_map<dev_t, int> watchers_;
  /// Files with a window.
  std::unordered_set<File*> windowed_;
  /// Number of the `syncDirty` call that is next to take the dirty files.
  uint64_t syncs_ = 0;
  size_t limit_ = 512;
  int32_t lastId_ = 0;
};

}  // namespace ringmq
