// Readiness of descriptors and state changes of children, on the environment's own event loop.
//
// One uv_poll watches one epoll of the environment. A uv_poll for each descriptor would set O_NONBLOCK on an
// open file description that other processes may share, and would refuse a second watcher.

#pragma once

#include <uv.h>

#include "native.h"

namespace tracegate {

class LoopWatch {
 public:
  // Whether this runtime has every part of libuv that is used here. If not, nothing below may be called, and
  // the environment deletes its watch.
  static bool HasLoop();
  static LoopWatch* Create(Napi::Env env);
  ~LoopWatch() = default;

  // setListeners(onReady(count), onChildChange(), ready): ready: an Int32Array that gets fd, token, revents
  // of each event
  void SetListeners(Napi::Function onReady, Napi::Function onChildChange, Napi::Int32Array ready);
  // One-shot: an event disarms. The result of epoll_ctl, or -errno.
  int Arm(int operation, int fd, uint32_t events, int32_t token);
  void KeepAlive(bool readiness, bool children);
  void KeepAliveForChildren(bool on);
  // A turn of the loop calls the listener once, however many SIGCHLDs have come. Each further call would find
  // only what the first has found, and a search among many tracees takes long. Busy tracees, which send
  // SIGCHLDs all the time, would otherwise keep the loop from everything else.
  int WatchChildren(bool on);
  // Has the listener called once more in this turn, after the microtasks of the call that it is in; false
  // outside the listener, and after kMostLooks calls in one turn.
  bool LookAgain();
  // Whether a SIGCHLD has come after which the listener is still to be called. From now on that call counts.
  bool IsChildChangeDue();

 private:
  explicit LoopWatch(Napi::Env env) : env_(env) {}

  int OpenEpoll();
  void Call(const Napi::FunctionReference& listener, napi_value argument);
  void DeliverReadiness();
  int InitChildren();
  void AnnounceChildChange();
  void CloseHandles();
  void HandleClosed();

  Napi::Env env_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  Napi::FunctionReference onReady_;
  Napi::FunctionReference onChildChange_;
  Napi::Reference<Napi::Int32Array> ready_;
  int epoll_ = -1;
  bool watchesChildren_ = false;
  int openHandles_ = 0;
  uv_loop_t* uv_ = nullptr;
  uv_poll_t poll_{};
  uv_signal_t childSignal_{};
  uv_check_t childCheck_{};
  bool childrenChanged_ = false;
  bool mayLookAgain_ = false;
  // How many SIGCHLDs had come before the listener was last called, and whether a call for later ones is
  // promised (IsChildChangeDue).
  unsigned int covered_ = 0;
  bool isCounted_ = false;
};

}  // namespace tracegate
