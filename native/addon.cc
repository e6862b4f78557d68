// What JavaScript sees. The contract is src/native/addon.ts; README.md says what blocks and what may overlap.
#include <napi.h>

#include "allocator.h"
#include "arguments.h"
#include "attachments.h"
#include "bulk_calls.h"
#include "doorbell.h"
#include "fault_guard.h"
#include "parking.h"
#include "path_calls.h"
#include "processor.h"
#include "region_calls.h"
#include "small_file_calls.h"
#include "socket_calls.h"
#include "supervisor.h"

namespace ringmq {

namespace {

/// One instance for each environment that loads the addon, main thread or worker; it ends with the environment.
class RingmqAddon final : public Napi::Addon<RingmqAddon> {
 public:
  RingmqAddon(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {
                             cold<allocateRegionCall>(env, "allocateRegion"),
                             cold<openSegmentCall>(env, "openSegment"),
                             cold<openSegmentForReadingCall>(env, "openSegmentForReading"),
                             cold<prepareSegmentCall>(env, "prepareSegment"),
                             InstanceMethod<&RingmqAddon::attach>("attach", napi_enumerable),
                             InstanceMethod<&RingmqAddon::detach>("detach", napi_enumerable),
                             cold<closeRegionCall>(env, "closeRegion"),
                             cold<regionReferencesCall>(env, "regionReferences"),
                             cold<syncRegionCall>(env, "syncRegion"),
                             hot("regionError", regionErrorCall),
                             hot("regionErrorIn", regionErrorInCall),
                             cold<adviseRegionCall>(env, "adviseRegion"),
                             hot("residentPages", residentPagesCall),
                             cold<populateRegionCall>(env, "populateRegion"),
                             cold<reserveRegionCall>(env, "reserveRegion"),
                             cold<reserveRegionAheadCall>(env, "reserveRegionAhead"),

                             hot("copy", copyCall),
                             hot("copyWithCrc", copyWithCrcCall),
                             hot("appendToRegion", appendToRegionCall),
                             hot("crcOfRegion", crcOfRegionCall),
                             hot("crcOfBytes", crcOfBytesCall),
                             hot("sendGathered", sendGatheredCall),

                             cold<openFileCall>(env, "openFile"),
                             hot("readFile", readFileCall),
                             hot("writeFile", writeFileCall),
                             cold<fileSizeCall>(env, "fileSize"),
                             cold<syncDirtyFilesCall>(env, "syncDirtyFiles"),
                             cold<closeFileCall>(env, "closeFile"),
                             cold<setFileCacheLimitCall>(env, "setFileCacheLimit"),

                             cold<zeroFileRangeCall>(env, "zeroFileRange"),
                             cold<firstDataCall>(env, "firstData"),
                             cold<syncDirectoryCall>(env, "syncDirectory"),
                             cold<lockFileCall>(env, "lockFile"),
                             cold<unlockFileCall>(env, "unlockFile"),
                             cold<dropFileCacheCall>(env, "dropFileCache"),

                             cold<openDoorbellCall>(env, "openDoorbell"),
                             hot("ringDoorbell", ringDoorbellCall),
                             hot("openParking", openParkingCall),
                             hot("park", parkCall),
                             hot("unpark", unparkCall),
                             cold<closeDoorbellCall>(env, "closeDoorbell"),

                             hot("yieldProcessor", yieldProcessorCall),
                             cold<nameThreadCall>(env, "nameThread"),

                             cold<duplicateDescriptorCall>(env, "duplicateDescriptor"),
                             cold<returnLargeBlocksCall>(env, "returnLargeBlocks"),
                             cold<trimHeapCall>(env, "trimHeap"),
                             cold<installFaultGuardCall>(env, "installFaultGuard"),
                             cold<notifySupervisorCall>(env, "notifySupervisor"),
                         });
  }

 private:
  template <Napi::Value (*call)(const Napi::CallbackInfo&)>
  static AddonProp cold(Napi::Env env, const char* name) {
    return InstanceValue(name, Napi::Function::New<call>(env, name), napi_enumerable);
  }

  /// Called by the engine itself, with nothing in between.
  static AddonProp hot(const char* name, napi_callback call) {
    return napi_property_descriptor{name, nullptr, call, nullptr, nullptr, nullptr, napi_enumerable, nullptr};
  }

  Napi::Value attach(const Napi::CallbackInfo& info) {
    Arguments arguments(info);
    const int32_t region = arguments.integer(0);
    if (!arguments.valid()) return arguments.reject("attach: needs a region id");
    return attachments_.attach(info.Env(), region);
  }

  void detach(const Napi::CallbackInfo& info) {
    Arguments arguments(info);
    const int32_t region = arguments.integer(0);
    if (arguments.valid()) attachments_.detach(region);
  }

  Attachments attachments_;
};

}  // namespace

}  // namespace ringmq

using ringmq::RingmqAddon;
NODE_API_ADDON(RingmqAddon)
