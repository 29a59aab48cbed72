/** The signals whose default action stops the whole process: job control. */
export const stopSignals: ReadonlySet<string> = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'])
