{
  "targets": [
    {
      "target_name": "ringmq",
      "sources": [
        "native/addon.cc",
        "native/allocator.cc",
        "native/arguments.cc",
        "native/attachments.cc",
        "native/background.cc",
        "native/bulk_calls.cc",
        "native/crc32.cc",
        "native/doorbell.cc",
        "native/fault_guard.cc",
        "native/file_cache.cc",
        "native/hot_arguments.cc",
        "native/parking.cc",
        "native/path_calls.cc",
        "native/path_lock.cc",
        "native/pool_job.cc",
        "native/processor.cc",
        "native/region.cc",
        "native/region_append.cc",
        "native/region_calls.cc",
        "native/region_sync.cc",
        "native/segment_file.cc",
        "native/small_file_calls.cc",
        "native/socket_calls.cc",
        "native/supervisor.cc",
        "native/tail_window.cc"
      ],
      "include_dirs": ["<!@(node native/headers.cjs)"],
      "defines": [
        "NAPI_VERSION=8",
        "_FILE_OFFSET_BITS=64",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        # A promise that is settled while its thread is being terminated fails; it must not abort the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags!": ["-O3"],
      "cflags": ["-fPIC", "-pthread", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++14", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
      # Stays loaded when the last worker that used it ends: the signal handler and the regions live on.
      "ldflags": ["-pthread", "-Wl,-z,nodelete"]
    }
  ]
}
