/** A simulated program is written in a way that cannot work; it has ended by SIGABRT. */
export class ProgramError extends TypeError {
  override readonly name = 'ProgramError'
  readonly code = 'ERR_INVALID_PROGRAM'
}
