// The ArrayBuffers of one environment (main thread or worker) over regions.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "region.h"

namespace ringmq {

class Attachments {
 public:
  /// The table of this environment. It ends with the environment.
  static Attachments* of(napi_env env);
  /// Once per environment, when the addon is loaded there.
  static void install(napi_env env);

  /// Null with a pending exception when the region is gone or the engine refuses.
  napi_value attach(napi_env env, int32_t regionId);
  void detach(napi_env env, int32_t regionId);

 private:
  struct Attachment {
    explicit Attachment(Region* held) : region(held) {}
    ~Attachment() { release(); }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    /// Gives the region back once, whoever comes first: detach, the garbage collector, or the end of the thread.
    void release();

    Region* region;
    napi_ref reference = nullptr;
  };

  static void onCollected(napi_env env, void* data, void* hint);
  void forgetCollected(napi_env env);

  std::unordered_map<int32_t, std::shared_ptr<Attachment>> byRegion_;
};

}  // namespace ringmq
