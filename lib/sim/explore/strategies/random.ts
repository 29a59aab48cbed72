import type { ChoicePoint } from '../strategy.ts'
import { Sampled } from './sampled.ts'

/** Random walks: every choice at random. */
export class RandomWalk extends Sampled {
  protected choosePlain({ plain }: ChoicePoint): number {
    return this.numbers.integer(plain)
  }
}
