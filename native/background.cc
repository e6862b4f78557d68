#include "background.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdint>

namespace ringmq {

namespace {

void* closeIt(void* descriptor) {
  close(static_cast<int>(reinterpret_cast<intptr_t>(descriptor)));
  return nullptr;
}

}  // namespace

void closeInBackground(int descriptor) {
  pthread_t thread;
  void* const argument = reinterpret_cast<void*>(static_cast<intptr_t>(descriptor));
  if (pthread_create(&thread, nullptr, closeIt, argument) == 0) {
    pthread_detach(thread);
  } else {
    close(descriptor);
  }
}

}  // namespace ringmq
