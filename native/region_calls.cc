#include "region_calls.h"

#include <cstring>
#include <memory>
#include <string>

#include "arguments.h"
#include "attachments.h"
#include "pool_job.h"
#include "region.h"
#include "region_sync.h"
#include "segment_file.h"

namespace ringmq {

napi_value allocateRegionCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const uint64_t bytes = arguments.offset(0);
  arguments.require(bytes > 0);
  if (!arguments.valid()) return arguments.reject("allocateRegion: needs a positive number of bytes");
  return toNumber(env, allocateRegion(bytes));
}

napi_value openSegmentCall(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const std::string path = arguments.path(0);
  const uint64_t bytes = arguments.offset(1);
  const bool create = arguments.boolean(2);
  arguments.require(bytes > 0);
  if (!arguments.valid()) return arguments.reject("openSegment: needs path, positive bytes, create");
  return toNumber(env, openSegment(path, bytes, create));
}

napi_value prepareSegmentCall(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const std::string path = arguments.path(0);
  const uint64_t bytes = arguments.offset(1);
  arguments.require(bytes > 0);
  if (!arguments.valid()) return arguments.reject("prepareSegment: needs path, positive bytes");
  return runInPool(env, "prepareSegment", [path, bytes] { return prepareSegmentFile(path, bytes); });
}

napi_value attachCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const int32_t id = arguments.integer(0);
  if (!arguments.valid()) return arguments.reject("attach: needs a region id");
  return Attachments::of(env)->attach(env, id);
}

napi_value detachCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const int32_t id = arguments.integer(0);
  if (arguments.valid()) Attachments::of(env)->detach(env, id);
  return nullptr;
}

napi_value closeRegionCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const int32_t id = arguments.integer(0);
  if (!arguments.valid() || !closeRegion(id)) return arguments.reject("closeRegion: not an open region");
  return nullptr;
}

napi_value neutralizeRegionCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const PinnedRegion region(arguments.integer(0));
  if (region.get() == nullptr) return arguments.reject("neutralizeRegion: unknown region");
  const int result = neutralizeRegion(region.get());
  if (result < 0) napi_throw_error(env, nullptr, strerror(-result));
  return nullptr;
}

napi_value regionReferencesCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  return toNumber(env, regionReferences(arguments.integer(0)));
}

napi_value syncRegionCall(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t to = arguments.offset(2);
  arguments.require(from <= to);
  arguments.requireRange(region.get(), from, to - from);
  if (!arguments.valid()) return arguments.reject("syncRegion: unknown region, or range outside of it");
  return toNumber(env, syncRegion(*region.get(), from, to));
}

napi_value regionErrorCall(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  const Region* region = arguments.region(0);
  if (!arguments.valid()) return arguments.reject("regionError: unknown region");
  return toNumber(env, region->error.load());
}

napi_value adviseRegionCall(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  const int advice = adviceByName(arguments.path(3));
  arguments.require(advice >= 0);
  arguments.requireRange(region.get(), from, length);
  if (!arguments.valid()) return arguments.reject("adviseRegion: unknown region or advice, or range outside");
  return toNumber(env, adviseRegion(*region.get(), from, length, advice));
}

napi_value residentPagesCall(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region.get(), from, length);
  if (!arguments.valid()) return arguments.reject("residentPages: unknown region, or range outside of it");
  return toNumber(env, residentPages(*region.get(), from, length));
}

napi_value populateRegionCall(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  // Shared with the job: std::function needs to be copyable, a pin is not.
  const auto region = std::make_shared<PinnedRegion>(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region->get(), from, length);
  if (!arguments.valid()) return arguments.reject("populateRegion: unknown region, or range outside of it");
  return runInPool(env, "populateRegion",
                   [region, from, length] { return populateRegion(*region->get(), from, length); });
}

}  // namespace ringmq
