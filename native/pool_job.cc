#include "pool_job.h"

#include <utility>

namespace ringmq {

namespace {

/// Deletes itself when it is done.
class PoolJob final : public Napi::AsyncWorker {
 public:
  PoolJob(Napi::Env env, const char* name, std::function<int64_t()> work, napi_deferred promise)
      : AsyncWorker(env, name), work_(std::move(work)), promise_(promise) {}

 protected:
  void Execute() override { result_ = work_(); }
  /// Fails, with nobody left to tell, when the thread is being terminated.
  void OnOK() override {
    napi_resolve_deferred(Env(), promise_, Napi::Number::New(Env(), static_cast<double>(result_)));
  }

 private:
  std::function<int64_t()> work_;
  int64_t result_ = 0;
  napi_deferred promise_;
};

}  // namespace

Napi::Value runInPool(Napi::Env env, const char* name, std::function<int64_t()> work) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  // Not Napi::Promise::Deferred: in a thread that is being terminated no promise can be made, and that class would hand
  // out an uninitialized one.
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return {};
  auto* job = new PoolJob(env, name, std::move(work), deferred);
  job->Queue();
  return {env, promise};
}

}  // namespace ringmq
