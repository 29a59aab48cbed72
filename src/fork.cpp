// The parent's side of a fork: the flattened program becomes native memory, every signal is blocked, the
// child is cloned.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "child/raw_syscall.h"
#include "environment.h"
#include "native.h"
#include "program_builder.h"

namespace tracegate {
namespace {

// A handler of this process that ran in a child that shares its memory would run in this process: none may
// run between the clone and the child's reset of its dispositions. Raw, because libc leaves 32 and 33
// unblocked.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() { RawSignalMask(SIG_BLOCK, kAllSignals, &before_); }
  ~AllSignalsBlocked() { RawSignalMask(SIG_SETMASK, before_); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  KernelSignalSet before_ = 0;
};

// The folder of a cgroup. A cgroup that cannot be opened fails in the child, by the action that joins it.
class CgroupFolder {
 public:
  explicit CgroupFolder(const char* path)
      : fd_(path == nullptr ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  ~CgroupFolder() {
    if (fd_ >= 0) close(fd_);
  }
  CgroupFolder(const CgroupFolder&) = delete;
  CgroupFolder& operator=(const CgroupFolder&) = delete;

  int fd() const { return fd_; }

 private:
  int fd_;
};

bool RefusesSharedMemory(long result) {
  return result == -EINVAL || result == -ENOSYS || result == -EPERM;  // qemu-user, sandboxes
}

// fork(words, bytes, reportFd, shared, cloneFlags, keepsRecord): the pid, or -errno. The buffers may be
// larger than what is in them. keepsRecord: a child of launch(), which waits for it, leaves its failure
// record in the shared memory. So it gets no copy where the memory cannot be shared.
Napi::Value Fork(const Napi::CallbackInfo& info) {
  const auto words = IntsArg(info, 0);
  const Flattened flat(words.data, BytesArg(info, 1).data);
  const int32_t reportFd = IntArg(info, 2);
  const bool shared = info[3].As<Napi::Boolean>().Value();
  const auto cloneFlags = static_cast<unsigned long>(MaskArg(info, 4));
  const bool keepsRecord = info[5].As<Napi::Boolean>().Value();
  Environment& environment = Environment::Of(info.Env());

  // No more descriptors are kept than there are words.
  Block block(ProgramBuilder::BlockBytes(flat, words.length));
  if (!block) return AnswerRaw(info, -ENOMEM);
  ProgramBuilder builder(flat, block);
  const Action* actions = builder.Build();
  ChildSlot* slot = environment.slots.Acquire();
  if (slot == nullptr) return AnswerRaw(info, -ENOMEM);
  slot->program = {actions, static_cast<int32_t>(flat.actionCount), reportFd,
                   (cloneFlags & CLONE_NEWPID) != 0 ? 0 : environment.pid,
                   environment.ignoredRealTimeSignals};
  if (keepsRecord) slot->program.record = &slot->record;
  slot->block = block.Release();

  long pid;
  {
    const CgroupFolder cgroup(builder.cgroup());
    const AllSignalsBlocked blocked;
    pid = slot->Start(cloneFlags | (shared ? CLONE_VM : 0), cgroup.fd());
    if (shared && !keepsRecord && RefusesSharedMemory(pid)) pid = slot->Start(cloneFlags, cgroup.fd());
  }
  if (pid > 0) {
    environment.Forked(static_cast<pid_t>(pid));
    if (keepsRecord) environment.loop->KeepAliveForChildren(true);
  }
  return AnswerRaw(info, pid);
}

// takeReport(pid, out): 1 where a child of that pid has left a failure record, else 0; out: its action, its
// errno.
Napi::Value TakeReport(const Napi::CallbackInfo& info) {
  ChildSlot* slot = Environment::Of(info.Env()).slots.WithRecord(IntArg(info, 0));
  if (slot == nullptr) return AnswerRaw(info, 0);
  int32_t* out = IntsArg(info, 1).data;
  out[0] = slot->record.action;
  out[1] = slot->record.error.exchange(0);
  return AnswerRaw(info, 1);
}

}  // namespace

const Export kForkExports[] = {
    {"fork", Function<Fork>},
    {"takeReport", Function<TakeReport>},
};

Exports ForkExports() {
  return All(kForkExports);
}

}  // namespace tracegate
