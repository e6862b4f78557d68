#include "bulk_calls.h"

#include <cstring>

#include "crc32.h"
#include "hot_arguments.h"
#include "region_append.h"

namespace ringmq {

namespace {

struct Copy {
  Region* target;
  uint64_t targetOffset;
  Region* source;
  uint64_t sourceOffset;
  uint64_t length;
};

bool overlaps(const Copy& copy) {
  return copy.target == copy.source && copy.targetOffset < copy.sourceOffset + copy.length &&
         copy.sourceOffset < copy.targetOffset + copy.length;
}

template <size_t Count>
Copy readCopy(HotArguments<Count>& arguments) {
  const Copy copy{arguments.region(0), arguments.offset(1), arguments.region(2), arguments.offset(3),
                  arguments.offset(4)};
  arguments.requireRange(copy.target, copy.targetOffset, copy.length);
  arguments.requireRange(copy.source, copy.sourceOffset, copy.length);
  arguments.require(!overlaps(copy));
  return copy;
}

void perform(const Copy& copy) {
  std::memcpy(copy.target->base + copy.targetOffset, copy.source->base + copy.sourceOffset, copy.length);
}

napi_value toUnsigned(napi_env env, uint32_t number) {
  napi_value result = nullptr;
  napi_create_uint32(env, number, &result);
  return result;
}

}  // namespace

napi_value copyCall(napi_env env, napi_callback_info info) {
  HotArguments<5> arguments(env, info);
  const Copy copy = readCopy(arguments);
  if (!arguments.valid()) return arguments.reject("copy: unknown region, or range outside of it");
  perform(copy);
  return nullptr;
}

napi_value copyWithCrcCall(napi_env env, napi_callback_info info) {
  HotArguments<7> arguments(env, info);
  const Copy copy = readCopy(arguments);
  const uint64_t crcOffset = arguments.offset(5);
  const uint64_t crcLength = arguments.offset(6);
  arguments.requireRange(copy.source, crcOffset, crcLength);
  if (!arguments.valid()) return arguments.reject("copyWithCrc: unknown region, or range outside of it");
  perform(copy);
  return toUnsigned(env, crc32(copy.source->base + crcOffset, crcLength));
}

napi_value appendToRegionCall(napi_env env, napi_callback_info info) {
  HotArguments<5> arguments(env, info);
  const Copy copy = readCopy(arguments);
  arguments.require(copy.target != nullptr && copy.target->fileBacked);
  if (!arguments.valid()) return arguments.reject("appendToRegion: not a segment, or range outside of it");
  const uint8_t* bytes = copy.source->base + copy.sourceOffset;
  return arguments.answer(appendToRegion(copy.target, copy.targetOffset, bytes, copy.length));
}

napi_value crcOfRegionCall(napi_env env, napi_callback_info info) {
  HotArguments<3> arguments(env, info);
  const Region* region = arguments.region(0);
  const uint64_t offset = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.requireRange(region, offset, length);
  if (!arguments.valid()) return arguments.reject("crcOfRegion: unknown region, or range outside of it");
  return toUnsigned(env, crc32(region->base + offset, length));
}

napi_value crcOfBytesCall(napi_env env, napi_callback_info info) {
  HotArguments<3> arguments(env, info);
  const Bytes bytes = arguments.bytes(0);
  const uint64_t offset = arguments.offset(1);
  const uint64_t length = arguments.offset(2);
  arguments.require(fits(offset, length, bytes.size));
  if (!arguments.valid()) return arguments.reject("crcOfBytes: not a Uint8Array, or range outside of it");
  return toUnsigned(env, crc32(bytes.data + offset, length));
}

}  // namespace ringmq
