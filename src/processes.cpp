// Children: waiting for them and signalling them.

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "environment.h"
#include "native.h"
#include "quiet_stops.h"

namespace tracegate {
namespace {

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// waitpid(pid, options, out): the pid, 0 or -errno; out: the raw status, then the rusage
// (lib/native/process-calls.ts reads it).
Napi::Value Waitpid(const Napi::CallbackInfo& info) {
  int status = 0;
  rusage used{};
  const int options = static_cast<int>(MaskArg(info, 1));
  const QuietStops quiet(info, options);
  const pid_t pid = wait4(IntArg(info, 0), &status, options, &used);
  if (pid <= 0) return Answer(info, pid);
  double* out = DoublesArg(info, 2).data;
  out[0] = static_cast<uint32_t>(status);
  out[1] = Microseconds(used.ru_utime);
  out[2] = Microseconds(used.ru_stime);
  out[3] = static_cast<double>(used.ru_maxrss);
  out[4] = static_cast<double>(used.ru_minflt);
  out[5] = static_cast<double>(used.ru_majflt);
  out[6] = static_cast<double>(used.ru_inblock);
  out[7] = static_cast<double>(used.ru_oublock);
  out[8] = static_cast<double>(used.ru_nvcsw);
  out[9] = static_cast<double>(used.ru_nivcsw);
  if (WIFEXITED(status) || WIFSIGNALED(status)) Environment::Of(info.Env()).Reaped(pid);
  return AnswerRaw(info, pid);
}

// waitid(idType, id, options, out): the pid, 0 or -errno; out: si_code, si_status. A raw call: P_PIDFD and
// options that libc does not know reach the kernel.
Napi::Value Waitid(const Napi::CallbackInfo& info) {
  siginfo_t change{};
  const int options = static_cast<int>(MaskArg(info, 2));
  const QuietStops quiet(info, options);
  const long result = syscall(SYS_waitid, IntArg(info, 0), IntArg(info, 1), &change, options, nullptr);
  if (result < 0 || change.si_signo == 0) return Answer(info, result);
  const int code = change.si_code;
  int32_t* out = IntsArg(info, 3).data;
  out[0] = code;
  out[1] = change.si_status;
  const bool hasEnded = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
  if (hasEnded && (options & WNOWAIT) == 0) Environment::Of(info.Env()).Reaped(change.si_pid);
  return AnswerRaw(info, change.si_pid);
}

// Whether PTRACE_GETEVENTMSG has a message for a stop: at an event, and at a system call.
bool HasMessage(int stop) {
  const int event = stop >> 8;
  return event == 0 ? stop == (SIGTRAP | 0x80) : event != PTRACE_EVENT_STOP;
}

// takeStop(tid, options): the stop that was taken, 0 or -errno. A stop: si_status, and above its 16 bits the
// message of the event plus one, or 0.
//
// Not by wait4, which for the rusage goes through all threads of the process.
Napi::Value TakeStop(const Napi::CallbackInfo& info) {
  siginfo_t change{};
  const int tid = IntArg(info, 0);
  const int options = static_cast<int>(MaskArg(info, 1)) | WSTOPPED | __WALL;
  const QuietStops quiet(info, options);
  const long result = syscall(SYS_waitid, P_PID, tid, &change, options, nullptr);
  if (result < 0 || change.si_signo == 0) return Answer(info, result);
  // A stop of job control: the task is not a tracee.
  if (change.si_code != CLD_TRAPPED) return AnswerRaw(info, -ECHILD);
  const int stop = change.si_status;
  unsigned long message = 0;
  const bool hasMessage = HasMessage(stop) && syscall(SYS_ptrace, PTRACE_GETEVENTMSG, tid, 0,
                                                      reinterpret_cast<long>(&message)) == 0;
  return AnswerRaw(info, hasMessage ? static_cast<long>(message + 1) << 16 | stop : stop);
}

// takeLaunchStop(pid, ownStopOptions): the stop of a child in launch(), 0 or -errno. kAnswered for the
// child's own SIGSTOP: it has these PTRACE_O_* options now, and runs on. If a request fails, the child was
// killed: JavaScript gets the stop, and then the end.
Napi::Value TakeLaunchStop(const Napi::CallbackInfo& info) {
  constexpr int kAnswered = 1 << 16;
  siginfo_t change{};
  const int pid = IntArg(info, 0);
  const long result = syscall(SYS_waitid, P_PID, pid, &change, WSTOPPED | WNOHANG | __WALL, nullptr);
  if (result < 0 || change.si_signo == 0) return Answer(info, result);
  // A stop of job control, before the child was traced.
  if (change.si_code != CLD_TRAPPED) return AnswerRaw(info, 0);
  const int stop = change.si_status;
  const bool isAnswered = stop == SIGSTOP &&
                          syscall(SYS_ptrace, PTRACE_SETOPTIONS, pid, 0, MaskArg(info, 1)) == 0 &&
                          syscall(SYS_ptrace, PTRACE_CONT, pid, 0, 0) == 0;
  return AnswerRaw(info, isAnswered ? kAnswered : stop);
}

Napi::Value Kill(const Napi::CallbackInfo& info) {
  return Answer(info, kill(IntArg(info, 0), IntArg(info, 1)));
}

// tgkill(pid, tid, signal): a raw call, since glibc before 2.30 and musl have no wrapper.
Napi::Value Tgkill(const Napi::CallbackInfo& info) {
  return Answer(info, syscall(SYS_tgkill, IntArg(info, 0), IntArg(info, 1), IntArg(info, 2)));
}

// tgsigqueueinfo(pid, tid, siginfo): the signal is the siginfo's own.
Napi::Value Tgsigqueueinfo(const Napi::CallbackInfo& info) {
  auto* siginfo = reinterpret_cast<siginfo_t*>(BytesArg(info, 2).data);
  int32_t signal = 0;
  std::memcpy(&signal, siginfo, sizeof(signal));
  return Answer(info, syscall(SYS_rt_tgsigqueueinfo, IntArg(info, 0), IntArg(info, 1), signal, siginfo));
}

// hasExeced(pid): 1, or 0 if this child has not exec'ed since its fork, or -errno.
//
// setpgid fails with EACCES for a child that has exec'ed, even a zombie: it tests the flag that exec clears
// (PF_FORKNOEXEC). -EPERM: the child has left our session, which setpgid finds before that test.
Napi::Value HasExeced(const Napi::CallbackInfo& info) {
  // To the group that it is in: a child that is not quite at its exec yet must not be moved.
  const int pid = IntArg(info, 0);
  const pid_t group = getpgid(pid);
  if (group < 0) return Answer(info, group);
  if (setpgid(pid, group) == 0) return AnswerRaw(info, 0);
  return AnswerRaw(info, errno == EACCES ? 1 : -errno);
}

}  // namespace

const Export kProcessesExports[] = {
    {"waitpid", Function<Waitpid>},
    {"waitid", Function<Waitid>},
    {"takeStop", Function<TakeStop>},
    {"takeLaunchStop", Function<TakeLaunchStop>},
    {"kill", Function<Kill>},
    {"tgkill", Function<Tgkill>},
    {"tgsigqueueinfo", Function<Tgsigqueueinfo>},
    {"hasExeced", Function<HasExeced>},
};

Exports ProcessesExports() {
  return All(kProcessesExports);
}

}  // namespace tracegate
