// Numbers that are part of a key, such as the bounds of buckets: there are few of them, so their texts are kept.

import { type Words, wordsOf } from '../../wire/copy.ts'

/** Numbers of which the text is kept; then all are made anew. */
const MAX_NUMBERS = 1000

export class NumberWords {
  readonly #text: (value: number) => string
  readonly #known = new Map<number, Words>()

  constructor(text: (value: number) => string) {
    this.#text = text
  }

  of(value: number): Words {
    let words = this.#known.get(value)
    if (words === undefined) {
      if (this.#known.size === MAX_NUMBERS) this.#known.clear()
      words = wordsOf(Buffer.from(this.#text(value)))
      this.#known.set(value, words)
    }
    return words
  }
}
