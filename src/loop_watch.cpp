#include "loop_watch.h"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "above_standard.h"
#include "environment.h"

// Deno lacks these, and would not load an addon that requires them; lib/native/polled-loop.ts takes their
// place.
#pragma weak uv_signal_init
#pragma weak uv_signal_start
#pragma weak uv_signal_stop
#pragma weak uv_check_init
#pragma weak uv_check_start
#pragma weak uv_check_stop

namespace tracegate {
namespace {

constexpr size_t kWordsPerEvent = 3;
constexpr size_t kMostEvents = 64;
// How often the listener for children is called in one turn of the loop at most.
constexpr int kMostLooks = 16;

// A handle without data was not needed yet.
void SetAlive(uv_handle_t* handle, bool on) {
  if (handle->data == nullptr) return;
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

// Compares two counts of signals, which wrap around.
bool IsLater(unsigned int count, unsigned int other) {
  return static_cast<int>(count - other) > 0;
}

}  // namespace

bool LoopWatch::HasLoop() {
  return uv_signal_init != nullptr;
}

LoopWatch* LoopWatch::Create(Napi::Env env) {
  auto* watch = new LoopWatch(env);
  if (!HasLoop()) return watch;
  napi_get_uv_event_loop(env, &watch->uv_);
  const auto cleanUp = [](napi_async_cleanup_hook_handle, void* data) {
    static_cast<LoopWatch*>(data)->CloseHandles();
  };
  napi_add_async_cleanup_hook(env, cleanUp, watch, &watch->cleanup_);
  return watch;
}

void LoopWatch::SetListeners(Napi::Function onReady, Napi::Function onChildChange, Napi::Int32Array ready) {
  onReady_ = Napi::Persistent(onReady);
  onChildChange_ = Napi::Persistent(onChildChange);
  ready_ = Napi::Reference<Napi::Int32Array>::New(ready, 1);
}

// An exception that a listener throws becomes an uncaught one.
void LoopWatch::Call(const Napi::FunctionReference& listener, napi_value argument) {
  const napi_value function = listener.Value();
  const size_t count = argument == nullptr ? 0 : 1;
  if (napi_make_callback(env_, nullptr, function, function, count, &argument, nullptr) == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env_, &pending);
  napi_value exception;
  if (pending && napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
    napi_fatal_exception(env_, exception);
  }
}

int LoopWatch::OpenEpoll() {
  if (epoll_ >= 0) return 0;
  // libuv asserts that it never closes a standard descriptor.
  const int fd = AboveStandard(epoll_create1(EPOLL_CLOEXEC));
  if (fd < 0) return -errno;
  const int failed = uv_poll_init(uv_, &poll_, fd);
  if (failed != 0) {
    close(fd);
    return failed;
  }
  poll_.data = this;
  epoll_ = fd;
  openHandles_++;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  return uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<LoopWatch*>(handle->data)->DeliverReadiness();
  });
}

int LoopWatch::Arm(int operation, int fd, uint32_t events, int32_t token) {
  const int opened = OpenEpoll();
  if (opened != 0) return opened;
  epoll_event event{};
  event.events = events | EPOLLONESHOT;
  event.data.u64 = static_cast<uint64_t>(static_cast<uint32_t>(token)) << 32 | static_cast<uint32_t>(fd);
  return epoll_ctl(epoll_, operation, fd, &event) < 0 ? -errno : 0;
}

void LoopWatch::DeliverReadiness() {
  const Napi::HandleScope scope(env_);
  epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_, events, kMostEvents, 0);
  if (count <= 0) return;
  Napi::Int32Array ready = ready_.Value();
  int32_t* out = ready.Data();
  for (int i = 0; i < count; i++) {
    *out++ = static_cast<int32_t>(events[i].data.u64 & 0xffffffff);
    *out++ = static_cast<int32_t>(events[i].data.u64 >> 32);
    *out++ = static_cast<int32_t>(events[i].events);
  }
  Call(onReady_, Napi::Number::New(env_, count));
}

int LoopWatch::InitChildren() {
  if (childSignal_.data != nullptr) return 0;
  const int failed = uv_signal_init(uv_, &childSignal_);
  if (failed != 0) return failed;
  uv_check_init(uv_, &childCheck_);
  for (auto* handle :
       {reinterpret_cast<uv_handle_t*>(&childSignal_), reinterpret_cast<uv_handle_t*>(&childCheck_)}) {
    handle->data = this;
    openHandles_++;
    uv_unref(handle);
  }
  return 0;
}

int LoopWatch::WatchChildren(bool on) {
  if (on == watchesChildren_) return 0;
  const int unusable = InitChildren();
  if (unusable != 0) return unusable;
  if (!on) {
    watchesChildren_ = false;
    childrenChanged_ = false;
    uv_check_stop(&childCheck_);
    return uv_signal_stop(&childSignal_);
  }
  const auto changed = [](uv_signal_t* signal, int) {
    auto* watch = static_cast<LoopWatch*>(signal->data);
    // Otherwise the listener was called after this signal came.
    if (IsLater(signal->dispatched_signals + 1, watch->covered_)) watch->childrenChanged_ = true;
  };
  const auto polled = [](uv_check_t* check) { static_cast<LoopWatch*>(check->data)->AnnounceChildChange(); };
  uv_check_start(&childCheck_, polled);
  const int failed = uv_signal_start(&childSignal_, changed, SIGCHLD);
  // Only a watch that has begun counts: the next call tries again.
  watchesChildren_ = failed == 0;
  return failed;
}

// Called once the signals of the turn have been handled.
void LoopWatch::AnnounceChildChange() {
  for (int looks = 1; childrenChanged_; looks++) {
    childrenChanged_ = false;
    mayLookAgain_ = looks < kMostLooks;
    isCounted_ = false;
    const unsigned int caught = childSignal_.caught_signals;
    const Napi::HandleScope scope(env_);
    Call(onChildChange_, nullptr);
    if (!isCounted_) covered_ = caught;
  }
  mayLookAgain_ = false;
}

bool LoopWatch::IsChildChangeDue() {
  if (!watchesChildren_) return false;
  const unsigned int seen =
      IsLater(covered_, childSignal_.dispatched_signals) ? covered_ : childSignal_.dispatched_signals;
  const bool isDue = IsLater(childSignal_.caught_signals, seen);
  if (isDue) isCounted_ = true;
  return isDue;
}

bool LoopWatch::LookAgain() {
  if (mayLookAgain_) childrenChanged_ = true;
  return mayLookAgain_;
}

void LoopWatch::KeepAlive(bool readiness, bool children) {
  SetAlive(reinterpret_cast<uv_handle_t*>(&poll_), readiness);
  KeepAliveForChildren(children);
}

void LoopWatch::KeepAliveForChildren(bool on) {
  SetAlive(reinterpret_cast<uv_handle_t*>(&childSignal_), on);
}

void LoopWatch::CloseHandles() {
  onReady_.Reset();
  onChildChange_.Reset();
  ready_.Reset();
  openHandles_++;  // this function's own share, so that the last one to finish frees
  const auto closed = [](uv_handle_t* handle) { static_cast<LoopWatch*>(handle->data)->HandleClosed(); };
  for (auto* handle : {reinterpret_cast<uv_handle_t*>(&poll_), reinterpret_cast<uv_handle_t*>(&childSignal_),
                       reinterpret_cast<uv_handle_t*>(&childCheck_)}) {
    if (handle->data != nullptr) uv_close(handle, closed);
  }
  HandleClosed();
}

void LoopWatch::HandleClosed() {
  if (--openHandles_ > 0) return;
  if (epoll_ >= 0) close(epoll_);
  napi_remove_async_cleanup_hook(cleanup_);
  delete this;
}

namespace {

LoopWatch& WatchOf(const Napi::CallbackInfo& info) {
  return *Environment::Of(info.Env()).loop;
}

void SetListeners(const Napi::CallbackInfo& info) {
  WatchOf(info).SetListeners(info[0].As<Napi::Function>(), info[1].As<Napi::Function>(),
                             info[2].As<Napi::Int32Array>());
}

// arm(operation, fd, events, token)
Napi::Value Arm(const Napi::CallbackInfo& info) {
  return AnswerRaw(info,
                   WatchOf(info).Arm(IntArg(info, 0), IntArg(info, 1), MaskArg(info, 2), IntArg(info, 3)));
}

// keepAlive(readiness, children)
void KeepAlive(const Napi::CallbackInfo& info) {
  WatchOf(info).KeepAlive(info[0].As<Napi::Boolean>().Value(), info[1].As<Napi::Boolean>().Value());
}

Napi::Value WatchChildren(const Napi::CallbackInfo& info) {
  return AnswerRaw(info, WatchOf(info).WatchChildren(info[0].As<Napi::Boolean>().Value()));
}

Napi::Value LookAgain(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), WatchOf(info).LookAgain());
}

}  // namespace

const Export kLoopWatchExports[] = {
    {"setListeners", Function<SetListeners>},
    {"arm", Function<Arm>},
    {"keepAlive", Function<KeepAlive>},
    {"watchChildren", Function<WatchChildren>},
    {"lookAgain", Function<LookAgain>},
    {"readyWords",
     [](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, kWordsPerEvent * kMostEvents); }},
};

Exports LoopWatchExports() {
  return All(kLoopWatchExports);
}

}  // namespace tracegate
