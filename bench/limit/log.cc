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

Log::Log(const std::string& folder, uint64_t fileBytes, Flusher& flusher)
    : fileBytes_(fileBytes),
      stageBytes_(std::min(kLargestStage, fileBytes)),
      flusher_(flusher),
      supply_(folder, fileBytes),
      stage_(new uint8_t[stageBytes_]) {
  const LogFile first = supply_.take();
  descriptor_ = first.descriptor;
  files_.push_back(first.bytes);
  flusher_.goOn(descriptor_);
}

uint64_t Log::largestRecord() const { return stageBytes_ - kBlankBytes; }

uint8_t* Log::reserve(uint64_t most) {
  if (used_ + staged_ + most + kBlankBytes > fileBytes_) roll();
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
  put32(stage_.get() + staged_, static_cast<uint32_t>(fileBytes_ - used_ - staged_));
  put32(stage_.get() + staged_ + 4, kBlankMagic);
  staged_ += kBlankBytes;
  write();
  start_ += fileBytes_;
  used_ = 0;
  const LogFile next = supply_.take();
  descriptor_ = next.descriptor;
  files_.push_back(next.bytes);
  flusher_.goOn(descriptor_);
}

void Log::stop() { supply_.stop(); }

}  // namespace limit
