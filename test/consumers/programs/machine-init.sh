#!/bin/bash
# The first process of an emulated machine: runs test files, shows their results on the console, switches itself off.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
exec >/dev/console 2>&1 </dev/null
mkdir -p /dev/pts /dev/shm /tmp /run
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
export PATH=/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 TERM=dumb
. /machine.env
hostname machine
date -s "@$now" >/dev/null
ulimit -n 1024
cd "$clone"
# In a session of its own, which is not that of the console.
setsid --wait node node_modules/vitest/vitest.mjs run --experimental.fsModuleCache --maxWorkers=2 \
  --testTimeout=300000 --hookTimeout=300000 --reporter=verbose --reporter=json --outputFile=/results.json $files | cat
[ ! -s /results.json ] || echo "RESULTS $(base64 -w0 /results.json)"
# The setting does nothing, but waits until all has been said.
stty -F /dev/ttyAMA0 -echo
echo o >/proc/sysrq-trigger
sleep 60
