{
  "variables": {
    # Where these sources are, seen from the binding.gyp that is built: the clone's stands one folder above.
    "sources_folder%": "."
  },
  "targets": [
    {
      "target_name": "tracegate",
      "sources": [
        "addon.cpp",
        "allocation.cpp",
        "child/credentials.cpp",
        "child/descriptors.cpp",
        "child/execve.cpp",
        "child/interpreter.cpp",
        "child/io.cpp",
        "child/limits.cpp",
        "child/namespaces.cpp",
        "child/session.cpp",
        "child/signals.cpp",
        "child_slot.cpp",
        "descriptors.cpp",
        "environment.cpp",
        "foreground.cpp",
        "fork.cpp",
        "loop_watch.cpp",
        "memory.cpp",
        "messages.cpp",
        "notify_socket.cpp",
        "pidfd.cpp",
        "own_environment.cpp",
        "polling.cpp",
        "probes.cpp",
        "processes.cpp",
        "ptrace.cpp",
        "quiet_stops.cpp",
        "signal_forwarding.cpp",
        "start_child.cpp",
        "terminals.cpp"
      ],
      "include_dirs": ["<!(node <(sources_folder)/node-addon-api.cjs)"],
      # Swallow: an error that cannot be thrown into a terminated worker must not end the whole process.
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
      "cflags": ["-Wall", "-Wextra", "-O2", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
      "cflags_cc": ["-std=c++17"],
      # nodelete: the library remembers children that outlive their worker. Node would unload it with its last worker.
      "ldflags": [
        "-Wl,--gc-sections",
        "-Wl,--as-needed",
        "-Wl,-z,now",
        "-Wl,-z,nodelete",
        "-Wl,--version-script=../<(sources_folder)/exports.map",
      ],
      "configurations": { "Release": { "ldflags": ["-Wl,-s"] } }
    }
  ]
}
