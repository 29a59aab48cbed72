{
  "targets": [
    {
      "target_name": "tracegate",
      "sources": [
        "src/addon.cpp",
        "src/allocation.cpp",
        "src/child/interpreter.cpp",
        "src/child_slot.cpp",
        "src/descriptors.cpp",
        "src/environment.cpp",
        "src/fork.cpp",
        "src/loop_watch.cpp",
        "src/messages.cpp",
        "src/polling.cpp",
        "src/probes.cpp",
        "src/processes.cpp",
        "src/ptrace.cpp",
        "src/start_child.cpp"
      ],
      "include_dirs": ["<!(node src/node-addon-api.cjs)"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
      "cflags": ["-Wall", "-Wextra", "-O2", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
      "cflags_cc": ["-std=c++17"],
      # nodelete: children that outlive their worker are remembered in the library, which Node would unload with its last worker.
      "ldflags": [
        "-Wl,--gc-sections",
        "-Wl,--as-needed",
        "-Wl,-z,now",
        "-Wl,-z,nodelete",
        "-Wl,--version-script=../src/exports.map",
      ],
      "configurations": { "Release": { "ldflags": ["-Wl,-s"] } }
    }
  ]
}
