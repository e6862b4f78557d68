#include "socket_calls.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>

#include "hot_arguments.h"

namespace ringmq {

namespace {

/// Ranges of one call, and the bytes before them.
constexpr uint64_t kMostParts = 64;
/// Region, offset, length.
constexpr uint64_t kPartWords = 3;

struct Numbers {
  const double* data = nullptr;
  uint64_t size = 0;
};

bool readNumbers(napi_env env, napi_value value, Numbers* numbers) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_float64_array) return false;
  *numbers = {static_cast<const double*>(data), length};
  return true;
}

/// The range that stands in the part; no region when there is none such.
const Region* toRange(const double* part, iovec* range) {
  uint64_t id = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  if (!toOffset(part[0], &id) || !toOffset(part[1], &offset) || !toOffset(part[2], &length)) return nullptr;
  const Region* region = id <= INT32_MAX ? findRegion(static_cast<int32_t>(id)) : nullptr;
  if (region == nullptr || !fits(offset, length, region->size)) return nullptr;
  *range = {region->base + offset, static_cast<size_t>(length)};
  return region;
}

/// Of a processor's cache.
constexpr size_t kLineBytes = 64;

/// Brings the bytes nearer while the ones before them are copied: records of a queue lie scattered over the log.
void fetchAhead(const iovec& range) {
  const auto* bytes = static_cast<const uint8_t*>(range.iov_base);
  for (size_t at = 0; at < range.iov_len; at += kLineBytes) __builtin_prefetch(bytes + at);
}

/// Bytes that the kernel has taken, or -errno when it has taken none. A page that cannot be read ends it there.
int64_t sendRanges(int descriptor, iovec* ranges, size_t count) {
  msghdr message{};
  message.msg_iov = ranges;
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

}  // namespace

napi_value sendGatheredCall(napi_env env, napi_callback_info info) {
  HotArguments<5> arguments(env, info);
  const int32_t descriptor = arguments.integer(0);
  const Bytes head = arguments.bytes(1);
  const uint64_t headLength = arguments.offset(2);
  arguments.require(headLength <= head.size);
  Numbers parts;
  arguments.require(readNumbers(env, arguments.value(3), &parts));
  const uint64_t count = arguments.offset(4);
  arguments.require(count <= kMostParts && count * kPartWords <= parts.size);
  iovec ranges[kMostParts + 1];
  const Region* regions[kMostParts];
  ranges[0] = {head.data, static_cast<size_t>(headLength)};
  for (uint64_t i = 0; i < count && arguments.valid(); i++) {
    regions[i] = toRange(parts.data + i * kPartWords, &ranges[i + 1]);
    arguments.require(regions[i] != nullptr);
  }
  if (!arguments.valid()) return arguments.reject("sendGathered: unknown region, or range outside of it");
  for (uint64_t i = 0; i < count; i++) fetchAhead(ranges[i + 1]);
  const int64_t sent = sendRanges(descriptor, ranges, count + 1);
  // Another thread may have met a page meanwhile, in whose place the guard has put zeros.
  for (uint64_t i = 0; i < count; i++)
    if (regions[i]->error.load(std::memory_order_acquire) != 0) return arguments.answer(-EIO);
  return arguments.answer(sent);
}

}  // namespace ringmq
