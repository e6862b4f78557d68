#include "background.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

namespace ringmq {

namespace {

void* closeIt(void* descriptor) {
  close(static_cast<int>(reinterpret_cast<intptr_t>(descriptor)));
  return nullptr;
}

void closeInBackground(int descriptor) {
  pthread_t thread;
  void* const argument = reinterpret_cast<void*>(static_cast<intptr_t>(descriptor));
  if (pthread_create(&thread, nullptr, closeIt, argument) == 0) {
    pthread_detach(thread);
  } else {
    close(descriptor);
  }
}

}  // namespace

void closeFile(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) == 0 && status.st_nlink == 0) {
    closeInBackground(descriptor);
  } else {
    close(descriptor);
  }
}

}  // namespace ringmq
