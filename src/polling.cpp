// poll and epoll, blocking.

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <vector>

#include "native.h"

namespace tracegate {
namespace {

// poll(pairs, timeout): pairs: fd, events, fd, events …; the events are replaced by the revents
Napi::Value Poll(const Napi::CallbackInfo& info) {
  const Numbers<int32_t> pairs = IntsArg(info, 0);
  std::vector<pollfd> requests(pairs.length / 2);
  for (size_t i = 0; i < requests.size(); i++) {
    requests[i] = {pairs.data[2 * i], static_cast<short>(pairs.data[2 * i + 1]), 0};
  }
  const int result = poll(requests.data(), requests.size(), IntArg(info, 1));
  if (result < 0) return Answer(info, result);
  for (size_t i = 0; i < requests.size(); i++) {
    pairs.data[2 * i + 1] = static_cast<unsigned short>(requests[i].revents);
  }
  return Answer(info, result);
}

Napi::Value EpollCreate1(const Napi::CallbackInfo& info) {
  return Answer(info, epoll_create1(static_cast<int>(MaskArg(info, 0))));
}

// epollCtl(epfd, op, fd, hasEvent, events, data)
Napi::Value EpollCtl(const Napi::CallbackInfo& info) {
  epoll_event event{};
  event.events = MaskArg(info, 4);
  event.data.u64 = static_cast<uint64_t>(info[5].As<Napi::Number>().Int64Value());
  const bool given = info[3].As<Napi::Boolean>().Value();
  return Answer(info, epoll_ctl(IntArg(info, 0), IntArg(info, 1), IntArg(info, 2), given ? &event : nullptr));
}

// epollWait(epfd, maxEvents, timeout, out): how many; out: events, data, events, data …
Napi::Value EpollWait(const Napi::CallbackInfo& info) {
  const Numbers<double> out = DoublesArg(info, 3);
  const int asked = IntArg(info, 1);
  std::vector<epoll_event> events(std::max<size_t>(1, out.length / 2));
  // A count that the kernel refuses is passed on unchanged; one that is merely large is cut to the room there
  // is.
  const bool refused = asked <= 0 || asked > static_cast<int>(INT_MAX / sizeof(epoll_event));
  const int room = refused ? asked : std::min(asked, static_cast<int>(events.size()));
  const int count = epoll_wait(IntArg(info, 0), events.data(), room, IntArg(info, 2));
  for (int i = 0; i < count; i++) {
    out.data[2 * i] = events[i].events;
    out.data[2 * i + 1] = static_cast<double>(static_cast<int64_t>(events[i].data.u64));
  }
  return Answer(info, count);
}

}  // namespace

const Export kPollingExports[] = {
    {"poll", Function<Poll>},
    {"epollCreate1", Function<EpollCreate1>},
    {"epollCtl", Function<EpollCtl>},
    {"epollWait", Function<EpollWait>},
};

Exports PollingExports() {
  return All(kPollingExports);
}

}  // namespace tracegate
