// A queue: where in the log its messages are, 20 bytes each, written once a round; read through mappings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limit {

struct Entry {
  uint64_t position;
  uint32_t size;
};

class Queue {
 public:
  /// Takes effect with the first message.
  void openIn(const std::string& folder) { folder_ = folder; }
  bool isOpen() const { return !folder_.empty(); }
  /// Messages that were added.
  uint64_t count() const { return written_ + staged_.size() / kEntryBytes; }
  /// Messages that readers may see.
  uint64_t written() const { return written_; }
  void add(uint64_t position, uint32_t size, int64_t tagsCode);
  /// Writes what was added since the last time.
  void write();
  Entry entry(uint64_t offset) const;

  static constexpr uint64_t kEntryBytes = 20;

 private:
  void nextFile();

  std::string folder_;
  std::vector<uint8_t> staged_;
  uint64_t written_ = 0;
  int descriptor_ = -1;
  std::vector<const uint8_t*> files_;
};

}  // namespace limit
