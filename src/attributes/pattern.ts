// Regular expressions of users: RE2's syntax, unanchored, in time linear in the text whatever the pattern.

import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'
import { utf8 } from '../otlp/value.ts'
import { equalBytes } from '../wire/varint.ts'

// Loaded with the first pattern: most configurations have none, and the library takes 12 ms.
const require = createRequire(import.meta.url)

/** Answers for UTF-8 bytes. */
export interface TextMatcher {
  matchesBytes(bytes: Uint8Array, from: number, to: number): boolean
}

export class Pattern implements TextMatcher {
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

  matchesBytes(bytes: Uint8Array, from: number, to: number): boolean {
    return this.matches(utf8(bytes, from, to))
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
/** Longer texts hardly come again: their answers are not remembered. */
const REMEMBERED_MAX_BYTES = 256

interface Answer {
  readonly bytes: Uint8Array
  readonly matches: boolean
  readonly next: Answer | undefined
}

/** Remembers its answers for texts of few different values, such as keys and names; forgets all when it is full. */
export class CachedPattern implements TextMatcher {
  readonly #pattern: Pattern
  readonly #maxEntries: number
  readonly #answers = new Map<number, Answer>()
  #count = 0

  constructor(pattern: Pattern, maxEntries = PATTERN_CACHE_MAX_ENTRIES) {
    this.#pattern = pattern
    this.#maxEntries = maxEntries
  }

  matchesBytes(bytes: Uint8Array, from: number, to: number): boolean {
    if (to - from > REMEMBERED_MAX_BYTES) return this.#pattern.matchesBytes(bytes, from, to)
    let hash = 0x811c9dc5 // FNV-1a
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    const first = this.#answers.get(hash)
    for (let answer = first; answer !== undefined; answer = answer.next)
      if (equalBytes(bytes, from, to, answer.bytes)) return answer.matches
    const matches = this.#pattern.matchesBytes(bytes, from, to)
    if (this.#count >= this.#maxEntries) {
      this.#answers.clear()
      this.#count = 0
    }
    const next = this.#count === 0 ? undefined : first
    this.#answers.set(hash, { bytes: bytes.slice(from, to), matches, next })
    this.#count++
    return matches
  }
}
