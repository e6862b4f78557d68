#include "pool_job.h"

#include <utility>

#include "arguments.h"

namespace ringmq {

namespace {

struct PoolJob {
  std::function<int64_t()> work;
  int64_t result = 0;
  napi_async_work handle = nullptr;
  napi_deferred promise = nullptr;
};

void execute(napi_env, void* data) {
  auto* job = static_cast<PoolJob*>(data);
  job->result = job->work();
}

void complete(napi_env env, napi_status, void* data) {
  auto* job = static_cast<PoolJob*>(data);
  napi_resolve_deferred(env, job->promise, toNumber(env, job->result));
  napi_delete_async_work(env, job->handle);
  delete job;
}

}  // namespace

napi_value runInPool(napi_env env, const char* name, std::function<int64_t()> work) {
  auto* job = new PoolJob();
  job->work = std::move(work);
  napi_value promise = nullptr;
  napi_value resource = nullptr;
  napi_create_promise(env, &job->promise, &promise);
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource);
  napi_create_async_work(env, nullptr, resource, execute, complete, job, &job->handle);
  napi_queue_async_work(env, job->handle);
  return promise;
}

}  // namespace ringmq
