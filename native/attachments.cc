#include "attachments.h"

#include <utility>

#include "arguments.h"

namespace ringmq {

void Attachments::Hold::release() {
  if (region == nullptr) return;
  releaseRegion(region, Holder::kAttachment);
  region = nullptr;
}

void Attachments::onCollected(napi_env, void*, void* hint) {
  auto* owner = static_cast<std::shared_ptr<Hold>*>(hint);
  (*owner)->release();
  delete owner;
}

void Attachments::forgetCollected() {
  for (auto entry = byRegion_.begin(); entry != byRegion_.end();) {
    if (entry->second.hold->region == nullptr) {
      entry = byRegion_.erase(entry);
    } else {
      ++entry;
    }
  }
}

Napi::Value Attachments::attach(Napi::Env env, int32_t regionId) {
  const auto known = byRegion_.find(regionId);
  if (known != byRegion_.end()) {
    const Napi::ArrayBuffer buffer = known->second.buffer.Value();
    if (!buffer.IsEmpty()) return buffer;
    // Collected, but its finalizer has not run yet.
    byRegion_.erase(known);
  }
  forgetCollected();

  Region* region = holdRegion(regionId, Holder::kAttachment);
  if (region == nullptr) {
    throwMisuse(env, "attach: unknown region");
    return {};
  }
  const auto hold = std::make_shared<Hold>(region);
  auto* owner = new std::shared_ptr<Hold>(hold);
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, region->base, region->size, onCollected, owner, &buffer) != napi_ok) {
    delete owner;
    napi_throw_error(env, nullptr, "attach: this runtime does not allow ArrayBuffers over foreign memory");
    return {};
  }
  const Napi::ArrayBuffer attached(env, buffer);
  byRegion_.emplace(regionId, Attachment{hold, Napi::Reference<Napi::ArrayBuffer>::New(attached)});
  return attached;
}

void Attachments::detach(int32_t regionId) {
  const auto known = byRegion_.find(regionId);
  if (known == byRegion_.end()) return;
  Napi::ArrayBuffer buffer = known->second.buffer.Value();
  if (!buffer.IsEmpty()) buffer.Detach();
  known->second.hold->release();
  byRegion_.erase(known);
}

}  // namespace ringmq
