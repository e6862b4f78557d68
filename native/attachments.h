// The ArrayBuffers of one environment (main thread or worker) over regions.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "region.h"

namespace ringmq {

class Attachments {
 public:
  /// Empty with a pending exception when the region is gone or the engine refuses.
  Napi::Value attach(Napi::Env env, int32_t regionId);
  void detach(int32_t regionId);

 private:
  /// Shared by the table and the buffer's finalizer.
  struct Hold {
    explicit Hold(Region* held) : region(held) {}
    ~Hold() { release(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    /// Gives the region back once, whoever comes first: detach, the garbage collector, or the end of the thread.
    void release();

    Region* region;
  };

  struct Attachment {
    std::shared_ptr<Hold> hold;
    /// Weak: the views that the thread keeps hold the buffer, not this table.
    Napi::Reference<Napi::ArrayBuffer> buffer;
  };

  static void onCollected(napi_env env, void* data, void* hint);
  void forgetCollected();

  std::unordered_map<int32_t, Attachment> byRegion_;
};

}  // namespace ringmq
