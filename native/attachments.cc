#include "attachments.h"

namespace ringmq {

Attachments* Attachments::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Attachments*>(data);
}

void Attachments::install(napi_env env) {
  napi_set_instance_data(
      env, new Attachments(), [](napi_env, void* data, void*) { delete static_cast<Attachments*>(data); }, nullptr);
}

void Attachments::Attachment::release() {
  if (region == nullptr) return;
  releaseRegion(region, Holder::kAttachment);
  region = nullptr;
}

void Attachments::onCollected(napi_env, void*, void* hint) {
  auto* owner = static_cast<std::shared_ptr<Attachment>*>(hint);
  (*owner)->release();
  delete owner;
}

void Attachments::forgetCollected(napi_env env) {
  for (auto entry = byRegion_.begin(); entry != byRegion_.end();) {
    if (entry->second->region != nullptr) {
      ++entry;
      continue;
    }
    napi_delete_reference(env, entry->second->reference);
    entry = byRegion_.erase(entry);
  }
}

napi_value Attachments::attach(napi_env env, int32_t regionId) {
  napi_value buffer = nullptr;
  const auto known = byRegion_.find(regionId);
  if (known != byRegion_.end()) {
    napi_get_reference_value(env, known->second->reference, &buffer);
    if (buffer != nullptr) return buffer;
    // Collected, but its finalizer has not run yet.
    napi_delete_reference(env, known->second->reference);
    byRegion_.erase(known);
  }
  forgetCollected(env);

  Region* region = holdRegion(regionId, Holder::kAttachment);
  if (region == nullptr) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "attach: unknown region");
    return nullptr;
  }
  const auto attachment = std::make_shared<Attachment>(region);
  auto* owner = new std::shared_ptr<Attachment>(attachment);
  if (napi_create_external_arraybuffer(env, region->base, region->size, onCollected, owner, &buffer) != napi_ok) {
    delete owner;
    napi_throw_error(env, nullptr, "attach: this runtime does not allow ArrayBuffers over foreign memory");
    return nullptr;
  }
  // Weak: the views that the thread keeps hold the buffer, not this table.
  napi_create_reference(env, buffer, 0, &attachment->reference);
  byRegion_.emplace(regionId, attachment);
  return buffer;
}

void Attachments::detach(napi_env env, int32_t regionId) {
  const auto known = byRegion_.find(regionId);
  if (known == byRegion_.end()) return;
  const std::shared_ptr<Attachment> attachment = known->second;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, attachment->reference, &buffer);
  if (buffer != nullptr) napi_detach_arraybuffer(env, buffer);
  napi_delete_reference(env, attachment->reference);
  byRegion_.erase(known);
  attachment->release();
}

}  // namespace ringmq
