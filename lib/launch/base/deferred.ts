/** A promise settled from outside. Its rejection may go unhandled: another step of the launch reports the error. */
export class Deferred {
  readonly promise: Promise<void>
  resolve!: () => void
  #reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.#reject = reject
    })
  }

  reject(error: unknown): void {
    this.promise.catch(() => {})
    this.#reject(error)
  }
}
