// The way not taken for launches as another user: a helper that changes its ids and execs the program. A
// clone in shared memory can exec it, however large the parent is.
//
// as_user UID GID PROGRAM [ARG]...

#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 4) return 125;
  const uid_t uid = (uid_t)strtoul(argv[1], NULL, 10);
  const gid_t gid = (gid_t)strtoul(argv[2], NULL, 10);
  if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return 125;
  execv(argv[3], argv + 3);
  return 127;
}
