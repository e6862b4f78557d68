#include "path_lock.h"

#include <condition_variable>
#include <mutex>
#include <unordered_set>

namespace ringmq {

namespace {
std::mutex& mutex = *new std::mutex();
std::condition_variable& unlocked = *new std::condition_variable();
auto& locked = *new std::unordered_set<std::string>();
}  // namespace

PathLock::PathLock(const std::string& path) : path_(path) {
  std::unique_lock<std::mutex> guard(mutex);
  unlocked.wait(guard, [this] { return locked.count(path_) == 0; });
  locked.insert(path_);
}

PathLock::~PathLock() {
  {
    const std::lock_guard<std::mutex> guard(mutex);
    locked.erase(path_);
  }
  unlocked.notify_all();
}

}  // namespace ringmq
