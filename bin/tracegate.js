#!/bin/sh
':' /*
# To sh this is a script, to JavaScript a comment: npm starts the command by its first line, others run it with node.
#
# Before any JavaScript runs, Node marks inherited descriptors close-on-exec and resets signals. sh drops variables whose
# names it cannot write, and sets some of its own. What there is now is noted for lib/cli/inherited.ts.
TRACEGATE_INHERITED="pid $$"
_tracegate_note() {
  TRACEGATE_INHERITED="$TRACEGATE_INHERITED
$1"
}
for _tracegate_fd in /proc/$$/fd/*; do
  # The descriptor that listed the others is gone; what sh has open for itself is close-on-exec.
  [ -h "$_tracegate_fd" ] || continue
  _tracegate_fd=${_tracegate_fd#/proc/$$/fd/}
  { read -r _tracegate_x; read -r _tracegate_x _tracegate_flags; } 2>/dev/null </proc/$$/fdinfo/$_tracegate_fd || continue
  [ $((_tracegate_flags & 02000000)) -ne 0 ] || _tracegate_note "fd $_tracegate_fd"
done
# cat has the signals that sh was started with, which sh itself may have changed. Its command line ends its status.
IFS='
'
set -f
for _tracegate_x in $(
  PATH=${PATH:+$PATH:}/usr/bin:/bin
  cat /proc/self/status /proc/self/cmdline /proc/$$/environ 2>/dev/null | tr '\000\n' '\n\001' 2>/dev/null
); do
  case ${_tracegate_x%%=*} in
    IFS | PWD | OLDPWD | SHLVL | _ | NODE_CHANNEL_* | '' | [0-9]* | *[!A-Za-z0-9_]*) _tracegate_note "$_tracegate_x" ;;
  esac
done
# Node would take the program's channel for its own.
unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
export TRACEGATE_INHERITED
exec node -- "$0" "$@"
*/
import '../dist/cli/main.js'
