#include "region_calls.h"

#include <cstring>
#include <memory>
#include <string>

#include "arguments.h"
#include "hot_arguments.h"
#include "pool_job.h"
#include "region.h"
#include "region_sync.h"
#include "segment_file.h"

namespace ringmq {

Napi::Value allocateRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint64_t bytes = arguments.offset(0);
  arguments.require(bytes > 0);
  if (!arguments.valid()) return arguments.reject("allocateRegion: needs a positive number of bytes");
  return arguments.answer(allocateRegion(bytes));
}

namespace {

/// What of `bytes` is to be allocated; all of it when the argument is missing.
uint64_t roomOf(const Napi::CallbackInfo& info, Arguments* arguments, size_t index, uint64_t bytes) {
  if (info[index].IsUndefined()) return bytes;
  const uint64_t room = arguments->offset(index);
  arguments->require(room <= bytes);
  return room;
}

void requireSegment(Arguments* arguments, const Region* region, uint64_t from, uint64_t length) {
  arguments->requireRange(region, from, length);
  arguments->require(region != nullptr && region->descriptor >= 0);
}

}  // namespace

Napi::Value openSegmentCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t bytes = arguments.offset(1);
  const bool create = arguments.boolean(2);
  const SegmentSize size = {bytes, roomOf(info, &arguments, 3, bytes)};
  arguments.require(bytes > 0);
  if (!arguments.valid())
    return arguments.reject("openSegment: needs path, positive bytes, create, at most as much room");
  return arguments.answer(openSegment(path, bytes, create ? &size : nullptr));
}

Napi::Value openSegmentForReadingCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t bytes = arguments.offset(1);
  arguments.require(bytes > 0);
  if (!arguments.valid()) return arguments.reject("openSegmentForReading: needs path, positive bytes");
  return arguments.answer(openSegmentForReading(path, bytes));
}

Napi::Value prepareSegmentCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.path(0);
  const uint64_t bytes = arguments.offset(1);
  const SegmentSize size = {bytes, roomOf(info, &arguments, 2, bytes)};
  arguments.require(bytes > 0);
  if (!arguments.valid())
    return arguments.reject("prepareSegment: needs path, positive bytes, at most as much room");
  return runInPool(info.Env(), "prepareSegment", [path, size] { return prepareSegmentFile(path, size); });
}

Napi::Value closeRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t id = arguments.integer(0);
  if (!arguments.valid() || !closeRegion(id)) return arguments.reject("closeRegion: not an open region");
  return {};
}

Napi::Value regionReferencesCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  return arguments.answer(regionReferences(arguments.integer(0)));
}

Napi::Value syncRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t to = arguments.offset(2);
  arguments.require(from <= to);
  arguments.requireRange(region.get(), from, to - from);
  if (!arguments.valid()) return arguments.reject("syncRegion: unknown region, or range outside of it");
  return arguments.answer(syncRegion(*region.get(), from, to));
}

napi_value regionErrorCall(napi_env env, napi_callback_info info) {
  HotArguments<1> arguments(env, info);
  const Region* region = arguments.region(0);
  if (!arguments.valid()) return arguments.reject("regionError: unknown region");
  return arguments.answer(region->error.load());
}

napi_value regionErrorInCall(napi_env env, napi_callback_info info) {
  HotArguments<3> arguments(env, info);
  const Region* region = arguments.region(0);
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region, from, length);
  if (!arguments.valid()) return arguments.reject("regionErrorIn: unknown region, or range outside of it");
  return arguments.answer(errorIn(*region, from, length));
}

Napi::Value adviseRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  const int advice = adviceByName(arguments.path(3));
  arguments.require(advice >= 0);
  arguments.requireRange(region.get(), from, length);
  if (!arguments.valid()) return arguments.reject("adviseRegion: unknown region or advice, or range outside");
  return arguments.answer(adviseRegion(*region.get(), from, length, advice));
}

napi_value residentPagesCall(napi_env env, napi_callback_info info) {
  HotArguments<3> arguments(env, info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region.get(), from, length);
  if (!arguments.valid()) return arguments.reject("residentPages: unknown region, or range outside of it");
  return arguments.answer(residentPages(*region.get(), from, length));
}

Napi::Value populateRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  // Shared with the job: std::function needs to be copyable, a pin is not.
  const auto region = std::make_shared<PinnedRegion>(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region->get(), from, length);
  if (!arguments.valid()) return arguments.reject("populateRegion: unknown region, or range outside of it");
  return runInPool(info.Env(), "populateRegion",
                   [region, from, length] { return populateRegion(*region->get(), from, length); });
}

Napi::Value reserveRegionCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const PinnedRegion region(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  requireSegment(&arguments, region.get(), from, length);
  if (!arguments.valid()) return arguments.reject("reserveRegion: not a segment, or range outside of it");
  return arguments.answer(
      reserveRoom(region.get()->descriptor, from, from + length, WithoutAllocation::kWriteZeros));
}

Napi::Value reserveRegionAheadCall(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  // Shared with the job, as in populateRegion.
  const auto region = std::make_shared<PinnedRegion>(arguments.integer(0));
  const uint64_t from = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  requireSegment(&arguments, region->get(), from, length);
  if (!arguments.valid()) return arguments.reject("reserveRegionAhead: not a segment, or range outside of it");
  return runInPool(info.Env(), "reserveRegionAhead", [region, from, length] {
    // Zeros in the background could come after what the writer has written there meanwhile.
    return reserveRoom(region->get()->descriptor, from, from + length, WithoutAllocation::kFail);
  });
}

}  // namespace ringmq
