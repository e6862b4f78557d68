#include "index.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "files.h"
#include "wire.h"

namespace limit {

namespace {
// RocketMQ's IndexFile: header, slots, entries
constexpr int kNameDigits = 17;
constexpr uint64_t kHeaderBytes = 40;
constexpr uint64_t kSlots = 5'000'000;
constexpr uint64_t kSlotBytes = 4;
constexpr uint64_t kEntries = 20'000'000;
constexpr uint64_t kEntryBytes = 20;
constexpr uint64_t kEntriesAt = kHeaderBytes + kSlots * kSlotBytes;
constexpr uint64_t kFileBytes = kEntriesAt + kEntries * kEntryBytes;
}  // namespace

Index::Index(const std::string& folder) : folder_(folder) { makeFolder(folder); }

void Index::nextFile() {
  if (bytes_ != nullptr) {
    publish();
    munmap(bytes_, kFileBytes);
  }
  const int descriptor = makeSparseFile(numberedPath(folder_, files_, kNameDigits), kFileBytes);
  bytes_ = static_cast<uint8_t*>(mapFile(descriptor, kFileBytes, PROT_READ | PROT_WRITE));
  close(descriptor);
  files_ += 1;
  next_ = 1;
  slots_ = 0;
}

void Index::add(int32_t hash, uint64_t position, uint64_t storeMillis) {
  if (next_ == 0 || next_ == kEntries) nextFile();
  if (next_ == 1) {
    firstMillis_ = storeMillis;
    put64(bytes_, storeMillis);
    put64(bytes_ + 16, position);
  }
  const uint32_t magnitude = hash == INT32_MIN ? 0 : static_cast<uint32_t>(std::abs(hash));
  uint8_t* const slot = bytes_ + kHeaderBytes + magnitude % kSlots * kSlotBytes;
  uint8_t* const entry = bytes_ + kEntriesAt + next_ * kEntryBytes;
  const uint32_t previous = get32(slot);
  put32(entry, magnitude);
  put64(entry + 4, position);
  put32(entry + 12, static_cast<uint32_t>((storeMillis - firstMillis_) / 1000));
  put32(entry + 16, previous);
  put32(slot, next_);
  if (previous == 0) slots_ += 1;
  next_ += 1;
  lastMillis_ = storeMillis;
  lastPosition_ = position;
}

void Index::publish() {
  if (bytes_ == nullptr) return;
  put64(bytes_ + 8, lastMillis_);
  put64(bytes_ + 24, lastPosition_);
  put32(bytes_ + 32, slots_);
  put32(bytes_ + 36, next_);
}

}  // namespace limit
