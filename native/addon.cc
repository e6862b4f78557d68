// What JavaScript sees. The contract is src/native/addon.ts; README.md says what blocks and what may overlap.
#include <node_api.h>

#include "attachments.h"
#include "bulk_calls.h"
#include "doorbell.h"
#include "fault_guard.h"
#include "path_calls.h"
#include "region_calls.h"
#include "small_file_calls.h"

namespace ringmq {

namespace {

constexpr napi_property_descriptor method(const char* name, napi_callback call) {
  return {name, nullptr, call, nullptr, nullptr, nullptr, napi_enumerable, nullptr};
}

constexpr napi_property_descriptor kCalls[] = {
    method("allocateRegion", allocateRegionCall),
    method("openSegment", openSegmentCall),
    method("prepareSegment", prepareSegmentCall),
    method("attach", attachCall),
    method("detach", detachCall),
    method("closeRegion", closeRegionCall),
    method("neutralizeRegion", neutralizeRegionCall),
    method("regionReferences", regionReferencesCall),
    method("syncRegion", syncRegionCall),
    method("regionError", regionErrorCall),
    method("adviseRegion", adviseRegionCall),
    method("residentPages", residentPagesCall),
    method("populateRegion", populateRegionCall),

    method("copy", copyCall),
    method("copyWithCrc", copyWithCrcCall),
    method("crcOfRegion", crcOfRegionCall),
    method("crcOfBytes", crcOfBytesCall),

    method("openFile", openFileCall),
    method("readFile", readFileCall),
    method("writeFile", writeFileCall),
    method("fileSize", fileSizeCall),
    method("syncFile", syncFileCall),
    method("syncDirtyFiles", syncDirtyFilesCall),
    method("closeFile", closeFileCall),
    method("setFileCacheLimit", setFileCacheLimitCall),

    method("zeroFileRange", zeroFileRangeCall),
    method("syncDirectory", syncDirectoryCall),
    method("lockFile", lockFileCall),
    method("unlockFile", unlockFileCall),
    method("dropFileCache", dropFileCacheCall),

    method("openDoorbell", openDoorbellCall),
    method("ringDoorbell", ringDoorbellCall),
    method("closeDoorbell", closeDoorbellCall),

    method("duplicateDescriptor", duplicateDescriptorCall),
    method("installFaultGuard", installFaultGuardCall),
};

}  // namespace

napi_value initialize(napi_env env, napi_value exports) {
  Attachments::install(env);
  napi_define_properties(env, exports, sizeof(kCalls) / sizeof(kCalls[0]), kCalls);
  return exports;
}

}  // namespace ringmq

NAPI_MODULE_INIT() { return ringmq::initialize(env, exports); }
