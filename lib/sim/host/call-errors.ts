/** The host, the process of the calling JavaScript, has been killed: its calls can no longer return. */
export class HostKilledError extends Error {
  override readonly name = 'HostKilledError'
  readonly code = 'ERR_HOST_KILLED'
  constructor(signal: number) {
    super(`the simulated host process was killed by signal ${signal}`)
  }
}

/** Code left over from a finished run calls that run's world. */
export class WorldOverError extends Error {
  override readonly name = 'WorldOverError'
  readonly code = 'ERR_WORLD_OVER'
  readonly #runner: object

  constructor(runner: object) {
    super('the run of this simulated system has ended: code left over from it made a call, perhaps in a timer')
    this.#runner = runner
  }

  isFrom(runner: object): boolean {
    return this.#runner === runner
  }
}
