/** Remedies for failed attempts, by errno. */

/** Errnos of exhausted resources, as opposed to refusals. */
export const cures: Readonly<Record<string, string>> = {
  EAGAIN: 'a higher limit of processes (ulimit -u; in a container: --pids-limit), or fewer of them',
  EMFILE: 'a higher limit of descriptors (ulimit -n)',
  ENFILE: 'fewer open files on this machine, or a higher fs.file-max',
  ENOMEM: 'more memory',
}
