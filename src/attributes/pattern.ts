// Regular expressions of users: RE2's syntax, unanchored, in time linear in the text whatever the pattern.

import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

// Loaded with the first pattern: most configurations have none, and the library takes 12 ms.
const require = createRequire(import.meta.url)

export class Pattern {
  readonly text: string
  readonly #compiled: RE2JS

  /** Throws an Error that says what is wrong with `text`. */
  constructor(text: string) {
    const library = require('re2js') as typeof import('re2js')
    this.text = text
    this.#compiled = library.RE2JS.compile(text)
  }

  /** Whether it matches anywhere in `text`. */
  matches(text: string): boolean {
    return this.#compiled.test(text)
  }

  /** The texts of all groups, `''` for one that took no part, or undefined where nothing matches. */
  groups(text: string): string[] | undefined {
    const matcher = this.#compiled.matcher(text)
    if (!matcher.find()) return undefined
    return Array.from({ length: this.groupCount }, (_, i) => matcher.group(i + 1) ?? '')
  }

  get groupCount(): number {
    return this.#compiled.groupCount()
  }

  /** The names of the groups in their order; undefined for one without a name. */
  groupNames(): (string | undefined)[] {
    const names: (string | undefined)[] = Array.from({ length: this.groupCount })
    for (const [name, index] of Object.entries(this.#compiled.namedGroups())) names[index - 1] = name
    return names
  }
}

/** What is wrong with a pattern, or undefined. */
export function findPatternProblem(text: string): string | undefined {
  try {
    new Pattern(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Most answers that a CachedPattern remembers where nothing else is said. */
export const PATTERN_CACHE_MAX_ENTRIES = 1000

/** Remembers its answers for texts of few different values, such as attribute keys; forgets all when it is full. */
export class CachedPattern {
  readonly #pattern: Pattern
  readonly #maxEntries: number
  readonly #answers = new Map<string, boolean>()

  constructor(pattern: Pattern, maxEntries = PATTERN_CACHE_MAX_ENTRIES) {
    this.#pattern = pattern
    this.#maxEntries = maxEntries
  }

  matches(text: string): boolean {
    let answer = this.#answers.get(text)
    if (answer === undefined) {
      answer = this.#pattern.matches(text)
      if (this.#answers.size >= this.#maxEntries) this.#answers.clear()
      this.#answers.set(text, answer)
    }
    return answer
  }
}
