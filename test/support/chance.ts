// What makers of random messages and configurations choose by.

import type { Choose } from './scramble.ts'

export class Chance {
  protected readonly choose: Choose

  constructor(choose: Choose) {
    this.choose = choose
  }

  protected odds(percent: number): boolean {
    return this.choose(100) < percent
  }

  protected of<T>(list: readonly T[]): T {
    return list[this.choose(list.length)]!
  }

  /** One to `most`. */
  protected some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: 1 + this.choose(most) }, make)
  }
}
