#include "region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <utility>

#include "background.h"
#include "id_table.h"
#include "path_lock.h"
#include "segment_file.h"

namespace ringmq {

namespace {

IdTable<Region> table;

// Never destroyed: worker threads may outlive the destructors of a process that exits.
std::mutex& mutex = *new std::mutex();
// Segments by file, not by path: a file that was deleted and made again under its old name is another segment.
auto& segments = *new std::map<std::pair<dev_t, ino_t>, Region*>();

void forgetFile(Region* region) {
  const auto found = segments.find({region->device, region->inode});
  if (found != segments.end() && found->second == region) segments.erase(found);
}

void unmapIfUnused(Region* region) {
  if (region->opens + region->attachments + region->pins > 0) return;
  table.remove(region->id);
  forgetFile(region);
  munmap(region->base, mappedSize(*region));
  if (region->descriptor >= 0) closeFile(region->descriptor);
}

int32_t registerRegion(Region* region) {
  region->id = table.nextId();
  if (region->id == 0) return -ENFILE;
  region->opens = 1;
  table.add(region->id, region);
  return region->id;
}

/// Id, or 0 when nobody has mapped the file. Needs no descriptor: what one thread has open the others get even when
/// the process has used up all of them.
int32_t shareSegment(const std::string& path, size_t bytes) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || static_cast<uint64_t>(status.st_size) != bytes) return 0;
  const std::lock_guard<std::mutex> guard(mutex);
  const auto known = segments.find({status.st_dev, status.st_ino});
  if (known == segments.end() || known->second->size != bytes) return 0;
  known->second->opens += 1;
  return known->second->id;
}

/// Takes the descriptor over only when it makes a new region of it.
int32_t mapSegment(int descriptor, size_t bytes, bool writable, bool* taken) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -errno;
  if (!S_ISREG(status.st_mode) || static_cast<uint64_t>(status.st_size) != bytes) return -EINVAL;

  const std::lock_guard<std::mutex> guard(mutex);
  const auto known = segments.find({status.st_dev, status.st_ino});
  if (writable && known != segments.end()) {
    known->second->opens += 1;
    return known->second->id;
  }
  void* base = mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) return -errno;
  auto* region = new Region();
  region->base = static_cast<uint8_t*>(base);
  region->size = bytes;
  region->fileBacked = true;
  region->descriptor = descriptor;
  region->device = status.st_dev;
  region->inode = status.st_ino;
  const int32_t id = registerRegion(region);
  if (id < 0) {
    munmap(base, mappedSize(*region));
    delete region;
    return id;
  }
  // Who wants to write must not be given a mapping that cannot be written to.
  if (writable) segments[{region->device, region->inode}] = region;
  *taken = true;
  return id;
}

}  // namespace

void LostPages::add(uint64_t page) {
  if (overlap(page, page)) return;
  const uint32_t place = count_.fetch_add(1);
  if (place < kMost) {
    pages_[place].store(page + 1);
  } else {
    count_.store(kMost);
    addAll();
  }
}

bool LostPages::overlap(uint64_t first, uint64_t last) const {
  if (all_.load()) return true;
  const uint32_t count = std::min(count_.load(), kMost);
  for (uint32_t i = 0; i < count; i += 1) {
    const uint64_t page = pages_[i].load();
    if (page != 0 && page - 1 >= first && page - 1 <= last) return true;
  }
  return false;
}

int32_t errorIn(const Region& region, size_t from, size_t length) {
  const int32_t error = region.error.load();
  if (error == 0 || length == 0) return 0;
  return region.lost.overlap(from / pageSize(), (from + length - 1) / pageSize()) ? error : 0;
}

size_t pageSize() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

size_t mappedSize(const Region& region) { return (region.size + pageSize() - 1) & ~(pageSize() - 1); }

Region* findRegion(int32_t id) { return table.find(id); }

Region* findSegmentAt(const void* address) {
  const auto* byte = static_cast<const uint8_t*>(address);
  // Newest first: the segments in use were opened last.
  for (int32_t id = table.lastId(); id > 0; id -= 1) {
    Region* region = table.find(id);
    if (region == nullptr || !region->fileBacked) continue;
    if (byte >= region->base && byte < region->base + mappedSize(*region)) return region;
  }
  return nullptr;
}

int32_t allocateRegion(size_t bytes) {
  void* base =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return -errno;
  auto* region = new Region();
  region->base = static_cast<uint8_t*>(base);
  region->size = bytes;
  const std::lock_guard<std::mutex> guard(mutex);
  const int32_t id = registerRegion(region);
  if (id < 0) {
    munmap(base, mappedSize(*region));
    delete region;
  }
  return id;
}

int32_t openSegment(const std::string& path, size_t bytes, const SegmentSize* create) {
  const PathLock lock(path);
  const int32_t shared = shareSegment(path, bytes);
  if (shared > 0) return shared;
  const int descriptor = create == nullptr ? openSegmentFile(path) : openOrCreateSegmentFile(path, *create);
  if (descriptor < 0) return descriptor;
  bool taken = false;
  const int32_t id = mapSegment(descriptor, bytes, true, &taken);
  if (!taken) close(descriptor);
  return id;
}

int32_t openSegmentForReading(const std::string& path, size_t bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  bool taken = false;
  const int32_t id = mapSegment(descriptor, bytes, false, &taken);
  if (!taken) close(descriptor);
  return id;
}

bool closeRegion(int32_t id) {
  const std::lock_guard<std::mutex> guard(mutex);
  Region* region = table.find(id);
  if (region == nullptr || region->opens == 0) return false;
  region->opens -= 1;
  unmapIfUnused(region);
  return true;
}

int32_t regionReferences(int32_t id) {
  const std::lock_guard<std::mutex> guard(mutex);
  const Region* region = table.find(id);
  return region == nullptr ? 0 : region->opens + region->attachments;
}

Region* holdRegion(int32_t id, Holder holder) {
  const std::lock_guard<std::mutex> guard(mutex);
  Region* region = table.find(id);
  if (region == nullptr) return nullptr;
  (holder == Holder::kPin ? region->pins : region->attachments) += 1;
  return region;
}

void releaseRegion(Region* region, Holder holder) {
  const std::lock_guard<std::mutex> guard(mutex);
  (holder == Holder::kPin ? region->pins : region->attachments) -= 1;
  unmapIfUnused(region);
}

}  // namespace ringmq
