// Ids to objects, for lookups that may not take a lock: the hot calls and the SIGBUS handler.
//
// Ids start at 1 and are never used twice, so a late call with an old id finds nothing instead of somebody else's
// memory. Slots live in chunks that are never moved nor freed; only `add` and `remove` need the owner's mutex.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringmq {

template <typename T>
class IdTable {
 public:
  T* find(int32_t id) const {
    const auto index = static_cast<uint32_t>(id);
    if (index >= kChunks * kChunkSize) return nullptr;
    const Chunk* chunk = chunks_[index / kChunkSize].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : chunk->slots[index % kChunkSize].load(std::memory_order_acquire);
  }

  /// The id that the next `add` will give, or 0 when all are used up.
  int32_t nextId() const {
    const int32_t next = lastId() + 1;
    return static_cast<uint32_t>(next) < kChunks * kChunkSize ? next : 0;
  }

  void add(int32_t id, T* object) {
    const auto index = static_cast<uint32_t>(id);
    std::atomic<Chunk*>& chunk = chunks_[index / kChunkSize];
    if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Chunk(), std::memory_order_release);
    chunk.load(std::memory_order_relaxed)->slots[index % kChunkSize].store(object, std::memory_order_release);
    lastId_.store(id, std::memory_order_release);
  }

  void remove(int32_t id) {
    const auto index = static_cast<uint32_t>(id);
    Chunk* chunk = chunks_[index / kChunkSize].load(std::memory_order_relaxed);
    chunk->slots[index % kChunkSize].store(nullptr, std::memory_order_release);
  }

  int32_t lastId() const { return lastId_.load(std::memory_order_acquire); }

 private:
  // 16 million ids: a new 1 GiB segment every second for half a year.
  static constexpr uint32_t kChunkSize = 4096;
  static constexpr uint32_t kChunks = 4096;

  struct Chunk {
    std::atomic<T*> slots[kChunkSize] = {};
  };

  std::atomic<Chunk*> chunks_[kChunks] = {};
  std::atomic<int32_t> lastId_{0};
};

}  // namespace ringmq
