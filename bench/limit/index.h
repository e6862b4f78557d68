// The key index: from the hash of `topic#key` to a place in the log. Two stores a message, into mapped files
// that follow one another.
#pragma once

#include <cstdint>
#include <string>

namespace limit {

class Index {
 public:
  explicit Index(const std::string& folder);
  /// `hash`: that of Java's String.
  void add(int32_t hash, uint64_t position, uint64_t storeMillis);
  /// Tells readers of the file what it has.
  void publish();

 private:
  void nextFile();

  const std::string folder_;
  uint8_t* bytes_ = nullptr;
  uint64_t files_ = 0;
  /// Number of the next entry; 0 is never used.
  uint32_t next_ = 0;
  uint32_t slots_ = 0;
  uint64_t firstMillis_ = 0;
  uint64_t lastMillis_ = 0;
  uint64_t lastPosition_ = 0;
};

}  // namespace limit
