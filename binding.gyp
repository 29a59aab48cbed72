{
  "targets": [
    {
      "target_name": "tracegate",
      "sources": [
        "src/addon.cpp",
        "src/child/interpreter.cpp",
        "src/child_slot.cpp",
        "src/descriptors.cpp",
        "src/environment.cpp",
        "src/fork.cpp",
        "src/loop_watch.cpp",
        "src/messages.cpp",
        "src/polling.cpp",
        "src/processes.cpp",
        "src/ptrace.cpp"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
      "cflags": ["-Wall", "-Wextra", "-O2", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
      "cflags_cc": ["-std=c++17"],
      # nodelete: children that outlive their worker are remembered in the library, which Node would unload with its last worker.
      "ldflags": ["-Wl,--gc-sections", "-Wl,-z,now", "-Wl,-z,nodelete"],
      "configurations": { "Release": { "ldflags": ["-Wl,-s"] } }
    }
  ]
}
