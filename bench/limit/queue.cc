#include "queue.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "files.h"
#include "wire.h"

namespace limit {

namespace {
constexpr uint64_t kEntriesPerFile = 300'000;
constexpr uint64_t kFileBytes = kEntriesPerFile * Queue::kEntryBytes;
}  // namespace

void Queue::add(uint64_t position, uint32_t size, int64_t tagsCode) {
  const size_t at = staged_.size();
  staged_.resize(at + kEntryBytes);
  put64(&staged_[at], position);
  put32(&staged_[at + 8], size);
  put64(&staged_[at + 12], static_cast<uint64_t>(tagsCode));
}

void Queue::write() {
  for (size_t from = 0; from < staged_.size();) {
    const uint64_t inFile = written_ % kEntriesPerFile * kEntryBytes;
    if (inFile == 0) nextFile();
    const size_t length = std::min(staged_.size() - from, static_cast<size_t>(kFileBytes - inFile));
    writeAll(descriptor_, &staged_[from], length, inFile);
    from += length;
    written_ += length / kEntryBytes;
  }
  staged_.clear();
}

void Queue::nextFile() {
  if (descriptor_ >= 0) close(descriptor_);
  makeFolder(folder_);
  descriptor_ = makeSparseFile(numberedPath(folder_, written_ * kEntryBytes), kFileBytes);
  files_.push_back(static_cast<const uint8_t*>(mapFile(descriptor_, kFileBytes, PROT_READ)));
}

Entry Queue::entry(uint64_t offset) const {
  const uint8_t* const at = files_[offset / kEntriesPerFile] + offset % kEntriesPerFile * kEntryBytes;
  return {get64(at), get32(at + 8)};
}

}  // namespace limit
