#include "log.h"

#include <algorithm>

#include "wire.h"

namespace limit {

namespace {
/// Marks the rest of a file: its size and this.
constexpr uint32_t kBlankMagic = 0xcbd43194;
constexpr uint64_t kBlankBytes = 8;
constexpr uint64_t kLargestStage = 6 << 20;
}  // namespace

Log::Log(const std::string& folder, const LogSize& size, Flusher& flusher)
    : size_(size),
      stageBytes_(std::min(kLargestStage, size.fileBytes)),
      flusher_(flusher),
      supply_(folder, size.fileBytes),
      stage_(new uint8_t[stageBytes_]) {
  const LogFile first = supply_.take();
  descriptor_ = first.descriptor;
  files_.push_back(first.bytes);
  flusher_.goOn(descriptor_);
}

uint64_t Log::largestRecord() const { return stageBytes_ - kBlankBytes; }

uint8_t* Log::reserve(uint64_t most) {
  if (used_ + staged_ + most + kBlankBytes > size_.fileBytes) roll();
  if (staged_ + most > stageBytes_) write();
  return stage_.get() + staged_;
}

void Log::write() {
  writeAll(descriptor_, stage_.get(), staged_, used_);
  used_ += staged_;
  staged_ = 0;
}

void Log::roll() {
  if (staged_ + kBlankBytes > stageBytes_) write();
  put32(stage_.get() + staged_, static_cast<uint32_t>(size_.fileBytes - used_ - staged_));
  put32(stage_.get() + staged_ + 4, kBlankMagic);
  staged_ += kBlankBytes;
  write();
  start_ += size_.fileBytes;
  used_ = 0;
  if (files_.size() - first_ == size_.files) {
    supply_.drop(begin(), files_[first_]);
    first_ += 1;
  }
  const LogFile next = supply_.take();
  descriptor_ = next.descriptor;
  files_.push_back(next.bytes);
  flusher_.goOn(descriptor_);
}

void Log::stop() { supply_.stop(); }

}  // namespace limit
