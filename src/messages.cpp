// Socket messages: send, recv, and their msghdr forms, which carry descriptors.

#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "native.h"

namespace tracegate {
namespace {

Napi::Value Send(const Napi::CallbackInfo& info) {
  const Bytes data = BytesArg(info, 1);
  return Answer(info, send(IntArg(info, 0), data.data, data.length, static_cast<int>(MaskArg(info, 2))));
}

Napi::Value Recv(const Napi::CallbackInfo& info) {
  const Bytes buffer = BytesArg(info, 1);
  return Answer(info, recv(IntArg(info, 0), buffer.data, buffer.length, static_cast<int>(MaskArg(info, 2))));
}

// sendmsg(fd, data, fds, flags)
Napi::Value Sendmsg(const Napi::CallbackInfo& info) {
  const Bytes data = BytesArg(info, 1);
  const Numbers<int32_t> fds = IntsArg(info, 2);
  iovec part{data.data, data.length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(fds.length == 0 ? 0 : CMSG_SPACE(fds.length * sizeof(int)));
  if (fds.length > 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.length * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data, fds.length * sizeof(int));
  }
  return Answer(info, sendmsg(IntArg(info, 0), &message, static_cast<int>(MaskArg(info, 3))));
}

// recvmsg(fd, buffer, maxFds, flags, out): the bytes; out: msg_flags, how many descriptors, the descriptors
Napi::Value Recvmsg(const Napi::CallbackInfo& info) {
  const Bytes buffer = BytesArg(info, 1);
  const size_t maxFds = MaskArg(info, 2);
  iovec part{buffer.data, buffer.length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(maxFds == 0 ? 0 : CMSG_SPACE(maxFds * sizeof(int)));
  if (maxFds > 0) {
    message.msg_control = control.data();
    // CMSG_LEN, not CMSG_SPACE: the padding after an odd number would let the kernel install one more
    // descriptor.
    message.msg_controllen = CMSG_LEN(maxFds * sizeof(int));
  }
  const ssize_t bytes = recvmsg(IntArg(info, 0), &message, static_cast<int>(MaskArg(info, 3)));
  if (bytes < 0) return Answer(info, bytes);
  int32_t* out = IntsArg(info, 4).data;
  out[0] = message.msg_flags;
  out[1] = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(out + 2 + out[1], CMSG_DATA(header), count * sizeof(int));
    out[1] += static_cast<int32_t>(count);
  }
  return Answer(info, bytes);
}

}  // namespace

const Export kMessagesExports[] = {
    {"send", Function<Send>},
    {"recv", Function<Recv>},
    {"sendmsg", Function<Sendmsg>},
    {"recvmsg", Function<Recvmsg>},
};

Exports MessagesExports() {
  return All(kMessagesExports);
}

}  // namespace tracegate
