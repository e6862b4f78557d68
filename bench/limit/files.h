// Files of the store, and the thread that prepares the next one of the log.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace limit {

/// `<folder>/<digits>`, as all files of a store are named that go on from one to the next.
std::string numberedPath(const std::string& folder, uint64_t number, int digits = 20);
/// With all folders above it.
void makeFolder(const std::string& folder);
/// A new file of that size, without blocks.
int makeSparseFile(const std::string& path, uint64_t bytes);
void* mapFile(int descriptor, uint64_t bytes, int protection);
void writeAll(int descriptor, const uint8_t* bytes, size_t length, uint64_t at);

/// A file of the log: allocated for writing, mapped for reading.
struct LogFile {
  int descriptor = -1;
  const uint8_t* bytes = nullptr;
};

/// Makes files of the log ahead of their use, and removes those that nobody needs any more.
class FileSupply {
 public:
  FileSupply(const std::string& folder, uint64_t fileBytes);
  /// The next one; waits while it is being made.
  LogFile take();
  /// The file that begins at this position goes, and its mapping with it, when the next file has been made.
  void drop(uint64_t start, const uint8_t* bytes);
  void stop();

 private:
  struct Dropped {
    uint64_t start;
    const uint8_t* bytes;
  };

  void run();
  void remove(const Dropped& file);

  const std::string folder_;
  const uint64_t fileBytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  LogFile next_;
  std::vector<Dropped> dropped_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace limit
