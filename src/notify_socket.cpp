// The socket of sd_notify(3): datagrams with their sender's credentials, under a name without a file.

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "above_standard.h"
#include "environment.h"
#include "native.h"

namespace tracegate {
namespace {

int Bind(int fd, const Bytes& name) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // An abstract name begins with a NUL, and reaches to the end of the address.
  const size_t length = std::min(name.length, sizeof(address.sun_path) - 1);
  memcpy(address.sun_path + 1, name.data, length);
  const socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + length;
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
}

// openNotifySocket(name): the socket, above the standard descriptors.
Napi::Value OpenNotifySocket(const Napi::CallbackInfo& info) {
  const int fd = AboveStandard(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) return Answer(info, -1);
  if (Bind(fd, BytesArg(info, 0)) < 0) {
    const int error = errno;
    close(fd);
    return AnswerRaw(info, -error);
  }
  Environment::Of(info.Env()).Made(fd);
  return AnswerRaw(info, fd);
}

// receiveNotification(fd, buffer, out): the bytes; out: the sender's pid and uid, 0 and -1 if unknown.
//
// It leaves no room for descriptors, so the kernel closes any that came along: the sender of BARRIER=1 waits
// for that.
Napi::Value ReceiveNotification(const Napi::CallbackInfo& info) {
  const Bytes buffer = BytesArg(info, 1);
  int32_t* out = IntsArg(info, 2).data;
  out[0] = 0;
  out[1] = -1;
  iovec part{buffer.data, buffer.length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t bytes = recvmsg(IntArg(info, 0), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (bytes < 0) return Answer(info, bytes);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    memcpy(&sender, CMSG_DATA(header), sizeof(sender));
    out[0] = sender.pid;
    out[1] = static_cast<int32_t>(sender.uid);
  }
  return AnswerRaw(info, bytes);
}

}  // namespace

const Export kNotifySocketExports[] = {
    {"openNotifySocket", Function<OpenNotifySocket>},
    {"receiveNotification", Function<ReceiveNotification>},
};

Exports NotifySocketExports() {
  return All(kNotifySocketExports);
}

}  // namespace tracegate
