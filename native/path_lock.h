// Lets one thread at a time make or open the file of a path; different paths do not wait for each other.
#pragma once

#include <string>

namespace ringmq {

class PathLock {
 public:
  explicit PathLock(const std::string& path);
  ~PathLock();
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

 private:
  const std::string path_;
};

}  // namespace ringmq
