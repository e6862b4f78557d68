// The log: files of one size, one after the other. Records are staged and written once a round.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "files.h"
#include "flusher.h"

namespace limit {

struct LogSize {
  uint64_t fileBytes;
  /// How many files there are at most, without the one that is made ahead; the oldest goes.
  uint64_t files;
};

class Log {
 public:
  Log(const std::string& folder, const LogSize& size, Flusher& flusher);

  /// The longest record that a file holds.
  uint64_t largestRecord() const;
  /// Room in the stage for a record of at most so many bytes, which will lie at `end()`.
  uint8_t* reserve(uint64_t most);
  void append(uint64_t length) { staged_ += length; }
  /// Behind the record that was appended last.
  uint64_t end() const { return start_ + used_ + staged_; }
  /// What readers may see: all that is in its file.
  uint64_t written() const { return start_ + used_; }
  /// Writes what is staged.
  void write();
  /// What lies before is no longer there.
  uint64_t begin() const { return first_ * size_.fileBytes; }
  /// A record that was written, at `begin()` or behind it.
  const uint8_t* at(uint64_t position) const {
    return files_[position / size_.fileBytes] + position % size_.fileBytes;
  }
  void stop();

 private:
  void roll();

  const LogSize size_;
  const uint64_t stageBytes_;
  Flusher& flusher_;
  FileSupply supply_;
  std::unique_ptr<uint8_t[]> stage_;
  std::vector<const uint8_t*> files_;
  /// The oldest of them that is there.
  uint64_t first_ = 0;
  int descriptor_ = -1;
  /// Position of the present file, and how much of it is written.
  uint64_t start_ = 0;
  uint64_t used_ = 0;
  uint64_t staged_ = 0;
};

}  // namespace limit
