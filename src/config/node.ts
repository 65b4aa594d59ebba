// A configuration as a tree whose every value remembers where it was written.
//
// Nodes are immutable and may be shared: an alias is the same node as its anchor. A value that came out of `${...}`
// keeps the place of the reference, because that is what its author can change.

/** One text that configuration was read from. Ranges marked secret are masked wherever the text is quoted. */
export class Source {
  /** As the user named it: a path, `env:NAME`, a URL, or `--set`. */
  readonly name: string
  readonly text: string
  readonly #secrets: { start: number; end: number }[] = []
  #lineStarts: number[] | undefined

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
  }

  hide(start: number, end: number): void {
    if (end > start) this.#secrets.push({ start, end })
  }

  /** The secret ranges, in the order of the text and without overlap. */
  get secrets(): readonly { readonly start: number; readonly end: number }[] {
    const merged: { start: number; end: number }[] = []
    for (const range of this.#secrets.toSorted((a, b) => a.start - b.start)) {
      const last = merged.at(-1)
      if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end)
      else merged.push({ ...range })
    }
    return merged
  }

  /** Line and column count from 1. */
  position(offset: number): { line: number; column: number } {
    const starts = this.lineStarts
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }

  get lineStarts(): readonly number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0]
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
        this.#lineStarts.push(at + 1)
    }
    return this.#lineStarts
  }
}

/** A range of characters in a source. */
export interface Place {
  readonly source: Source
  readonly start: number
  readonly end: number
}

/** A float literal; integers are plain numbers, or bigints beyond 2^53. So `1` and `1.0` stay told apart. */
export class YamlFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export type ScalarValue = string | number | bigint | YamlFloat | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: ScalarValue
  /** The text behind a value that is one whole `${...}`: what a string field gets (Collector reference 1.4). */
  readonly raw?: string
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly Node[]
  readonly raw?: string
}

export interface MapNode {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, Entry>
  readonly raw?: string
}

export interface Entry {
  /** Where the key was written. */
  readonly key: Place
  readonly value: Node
}

export type Node = ScalarNode | ListNode | MapNode

/** A value as YAML means it, without places. */
export type YamlValue = ScalarValue | YamlValue[] | { [key: string]: YamlValue }

export function toValue(node: Node): YamlValue {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(toValue)
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.value)]))
}

/** Nodes for a plain value; whole numbers are integers, others floats. */
export function fromValue(value: unknown, place: Place): Node {
  if (Array.isArray(value)) return { kind: 'list', place, items: value.map((item) => fromValue(item, place)) }
  if (typeof value === 'number') {
    return { kind: 'scalar', place, value: Number.isSafeInteger(value) ? value : new YamlFloat(value) }
  }
  if (value === null || value === undefined) return { kind: 'scalar', place, value: null }
  if (typeof value !== 'object') return { kind: 'scalar', place, value: value as ScalarValue }
  if (value instanceof YamlFloat) return { kind: 'scalar', place, value }
  const entries = new Map<string, Entry>()
  for (const [key, item] of value instanceof Map ? value : Object.entries(value)) {
    entries.set(String(key), { key: place, value: fromValue(item, place) })
  }
  return { kind: 'map', place, entries }
}

/** What a reader calls the value: `a map`, `a string`, `null`. */
export function nounOf(node: Node): string {
  if (node.kind === 'list') return 'a list'
  if (node.kind === 'map') return 'a map'
  if (node.value === null) return 'null'
  if (typeof node.value === 'string') return 'a string'
  if (typeof node.value === 'boolean') return 'a boolean'
  return node.value instanceof YamlFloat ? 'a float' : 'an integer'
}

/** The value as it would be typed, shortened; for words about it. */
export function quote(node: Node): string {
  if (node.kind !== 'scalar') return nounOf(node)
  const { value } = node
  const text =
    typeof value === 'string' ? JSON.stringify(value) : String(value instanceof YamlFloat ? value.value : value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
