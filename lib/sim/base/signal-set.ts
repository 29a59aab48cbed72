import { lastSignal, SIGKILL, SIGSTOP } from './signal-numbers.ts'

/** A set of signals 1 to 64, sigset_t. */
export class SignalSet {
  #low = 0
  #high = 0

  static of(signals: Iterable<number>): SignalSet {
    const set = new SignalSet()
    for (const signal of signals) set.add(signal)
    return set
  }

  /** The signals as a mask of blocked ones: without SIGKILL and SIGSTOP, which Linux leaves out silently. */
  static mask(signals: Iterable<number>): SignalSet {
    return SignalSet.of(signals).delete(SIGKILL).delete(SIGSTOP)
  }

  has(signal: number): boolean {
    return signal <= 32 ? ((this.#low >>> (signal - 1)) & 1) !== 0 : ((this.#high >>> (signal - 33)) & 1) !== 0
  }

  add(signal: number): this {
    if (signal <= 32) this.#low |= 1 << (signal - 1)
    else this.#high |= 1 << (signal - 33)
    return this
  }

  delete(signal: number): this {
    if (signal <= 32) this.#low &= ~(1 << (signal - 1))
    else this.#high &= ~(1 << (signal - 33))
    return this
  }

  addAll(other: SignalSet): this {
    this.#low |= other.#low
    this.#high |= other.#high
    return this
  }

  deleteAll(other: SignalSet): this {
    this.#low &= ~other.#low
    this.#high &= ~other.#high
    return this
  }

  toNumbers(): number[] {
    return Array.from({ length: lastSignal }, (_, index) => index + 1).filter(signal => this.has(signal))
  }

  copy(): SignalSet {
    return new SignalSet().addAll(this)
  }
}
