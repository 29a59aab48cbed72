// A rejected way to launch as another user: a static helper without libc, of less than a kilobyte,
// which changes its ids and execs the program. A child in shared memory can exec it, however large the parent
// is.
//
// as_user UID GID PROGRAM [ARG]...

#include <linux/close_range.h>

#include "../../src/child/raw_syscall.h"

using tracegate::RawSyscall;
using tracegate::Word;

namespace {

long ReadNumber(const char* text) noexcept {
  long number = 0;
  for (; *text != '\0'; text++) number = number * 10 + (*text - '0');
  return number;
}

int ChangeAndExec(const char* const* argv, const char* const* env) noexcept {
  const long uid = ReadNumber(argv[1]);
  const long gid = ReadNumber(argv[2]);
  RawSyscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (RawSyscall(SYS_setgroups, 0, 0) < 0 || RawSyscall(SYS_setresgid, gid, gid, gid) < 0) return 125;
  if (RawSyscall(SYS_setresuid, uid, uid, uid) < 0) return 125;
  RawSyscall(SYS_execve, Word(argv[3]), Word(argv + 3), Word(env));
  return 127;
}

}  // namespace

extern "C" [[noreturn, gnu::used]] void AsUser(const long* stack) noexcept {
  const auto* const argv = reinterpret_cast<const char* const*>(stack + 1);
  for (;;) RawSyscall(SYS_exit_group, stack[0] < 4 ? 125 : ChangeAndExec(argv, argv + stack[0] + 1));
}

// The entry: the stack pointer is at argc.
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call AsUser\n");
#else
__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl AsUser\n");
#endif
