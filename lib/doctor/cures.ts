/** What helps where something is tried in vain, by the errno. */

/** Where it fails for want of something, and not because it is refused. */
export const cures: Readonly<Record<string, string>> = {
  EAGAIN: 'a higher limit of processes (ulimit -u; in a container: --pids-limit), or fewer of them',
  EMFILE: 'a higher limit of descriptors (ulimit -n)',
  ENFILE: 'fewer open files on this machine, or a higher fs.file-max',
  ENOMEM: 'more memory',
}
