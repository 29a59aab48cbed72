// Keeps stops of children from raising SIGCHLD while this thread blocks in a wait for one.
//
// libuv's handler of SIGCHLD makes four system calls, which take as long as the stop itself. The wait is
// woken without a signal, too.

#pragma once

#include "native.h"

namespace tracegate {

// Lives as long as the wait. Ends of children raise SIGCHLD as ever.
class QuietStops {
 public:
  QuietStops(const Napi::CallbackInfo& info, int waitOptions);
  ~QuietStops();
  // For a new environment, whose thread must hear of stops.
  static void End();
  QuietStops(const QuietStops&) = delete;
  QuietStops& operator=(const QuietStops&) = delete;

 private:
  bool isQuiet_ = false;
};

}  // namespace tracegate
