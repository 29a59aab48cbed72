// Descriptors: making, copying, reading, writing, closing them.

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "environment.h"
#include "native.h"

namespace tracegate {
namespace {

// Marks both ends as owned if the call that made them succeeded.
int MadeTwo(const Napi::CallbackInfo& info, int result, const int32_t* fds) {
  if (result == 0) {
    Environment& environment = Environment::Of(info.Env());
    environment.Made(fds[0]);
    environment.Made(fds[1]);
  }
  return result;
}

// pipe2(flags, out)
Napi::Value Pipe2(const Napi::CallbackInfo& info) {
  int32_t* fds = IntsArg(info, 1).data;
  return Answer(info, MadeTwo(info, pipe2(fds, static_cast<int>(MaskArg(info, 0))), fds));
}

// socketpair(domain, type, protocol, out)
Napi::Value Socketpair(const Napi::CallbackInfo& info) {
  const int type = static_cast<int>(MaskArg(info, 1));
  int32_t* fds = IntsArg(info, 3).data;
  return Answer(info, MadeTwo(info, socketpair(IntArg(info, 0), type, IntArg(info, 2), fds), fds));
}

Napi::Value Read(const Napi::CallbackInfo& info) {
  const Bytes buffer = BytesArg(info, 1);
  return Answer(info, read(IntArg(info, 0), buffer.data, buffer.length));
}

Napi::Value Write(const Napi::CallbackInfo& info) {
  const Bytes data = BytesArg(info, 1);
  return Answer(info, write(IntArg(info, 0), data.data, data.length));
}

// EINTR is a success: Linux has freed the number by then, and a retry would close whatever has it next.
Napi::Value Close(const Napi::CallbackInfo& info) {
  const int fd = IntArg(info, 0);
  Environment::Of(info.Env()).Closing(fd);
  const int result = close(fd);
  return Answer(info, result < 0 && errno == EINTR ? 0 : result);
}

void ShareOwnership(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).ShareOwnership(info[0].As<Napi::Uint8Array>());
}

Napi::Value Dup(const Napi::CallbackInfo& info) {
  return Answer(info, dup(IntArg(info, 0)));
}

Napi::Value Dup3(const Napi::CallbackInfo& info) {
  return Answer(info, dup3(IntArg(info, 0), IntArg(info, 1), static_cast<int>(MaskArg(info, 2))));
}

// fcntl(fd, command, argument), for commands that take an int
Napi::Value Fcntl(const Napi::CallbackInfo& info) {
  const int command = IntArg(info, 1);
  const int result = fcntl(IntArg(info, 0), command, static_cast<long>(IntArg(info, 2)));
  if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
    Environment::Of(info.Env()).Made(result);
  return Answer(info, result);
}

Napi::Value BytesReadable(const Napi::CallbackInfo& info) {
  int bytes = 0;
  const int result = ioctl(IntArg(info, 0), FIONREAD, &bytes);
  return Answer(info, result < 0 ? result : bytes);
}

// getsockopt(fd, level, option, out): an int option
Napi::Value Getsockopt(const Napi::CallbackInfo& info) {
  int value = 0;
  socklen_t length = sizeof(value);
  const int result = getsockopt(IntArg(info, 0), IntArg(info, 1), IntArg(info, 2), &value, &length);
  if (result == 0) IntsArg(info, 3).data[0] = value;
  return Answer(info, result);
}

Napi::Value Setsockopt(const Napi::CallbackInfo& info) {
  const int value = IntArg(info, 3);
  return Answer(info, setsockopt(IntArg(info, 0), IntArg(info, 1), IntArg(info, 2), &value, sizeof(value)));
}

// peerUser(fd): the effective user of the peer of a unix socket, when it connected or began to listen.
Napi::Value PeerUser(const Napi::CallbackInfo& info) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  const int result = getsockopt(IntArg(info, 0), SOL_SOCKET, SO_PEERCRED, &peer, &length);
  return Answer(info, result < 0 ? result : static_cast<long>(peer.uid));
}

Napi::Value Shutdown(const Napi::CallbackInfo& info) {
  return Answer(info, shutdown(IntArg(info, 0), IntArg(info, 1)));
}

}  // namespace

const Export kDescriptorsExports[] = {
    {"pipe2", Function<Pipe2>},
    {"socketpair", Function<Socketpair>},
    {"read", Function<Read>},
    {"write", Function<Write>},
    {"close", Function<Close>},
    {"shareOwnership", Function<ShareOwnership>},
    {"dup", Function<Dup>},
    {"dup3", Function<Dup3>},
    {"fcntl", Function<Fcntl>},
    {"bytesReadable", Function<BytesReadable>},
    {"getsockopt", Function<Getsockopt>},
    {"setsockopt", Function<Setsockopt>},
    {"peerUser", Function<PeerUser>},
    {"shutdown", Function<Shutdown>},
};

Exports DescriptorsExports() {
  return All(kDescriptorsExports);
}

}  // namespace tracegate
