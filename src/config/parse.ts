// YAML text to located nodes. The `yaml` package finds the structure and the positions; what scalars, anchors, aliases
// and merge keys mean is decided here, as the Collector's YAML library decides it.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseAllDocuments,
  visit,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml'
import type { Entry, MapNode, Node, Place, Source } from './node.ts'
import type { Problem, ProblemCode } from './problem.ts'
import { resolvePlain, resolveTagged } from './scalar.ts'

/** Largest text of one source, in characters. */
export const MAX_SOURCE_LENGTH = 4 * 2 ** 20
/** Nodes in one document with every alias counted in full: the bound on what a small text can unfold to. */
export const MAX_NODES = 200_000
/** Maps and lists inside each other. */
export const MAX_DEPTH = 100
/** Separates the keys that one written key nests: `a::b: 1` is `a: {b: 1}` (Collector reference 1.2). */
export const KEY_DELIMITER = '::'

export interface Parsed {
  /** Absent when there are problems or when the text is empty. */
  readonly node: Node | undefined
  readonly problems: readonly Problem[]
  readonly warnings?: readonly Problem[]
}

/** Reads the first document of `source` from character `from` on. */
export function parseYaml(source: Source, from = 0): Parsed {
  if (source.text.length - from > MAX_SOURCE_LENGTH) {
    return failed(source, from, from, 'CONFIG_TOO_LARGE', `it has more than ${MAX_SOURCE_LENGTH} characters`)
  }
  try {
    const documents = parseAllDocuments(source.text.slice(from), {
      schema: 'failsafe',
      keepSourceTokens: false,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    })
    const document = Array.isArray(documents) ? documents[0] : undefined
    if (document === undefined) return { node: undefined, problems: [] }
    const error = document.errors[0]
    if (error !== undefined) {
      // The package's own stack came to its end, long after our bound.
      if (error.code === 'RESOURCE_EXHAUSTION') return failed(source, from, from, 'CONFIG_TOO_LARGE', tooDeep)
      const [start, end] = unclosedQuote(document, error) ?? error.pos
      const fix = 'look at the quotes, brackets and indentation here and in the lines before'
      return failed(
        source,
        from + start,
        from + end,
        'CONFIG_SYNTAX',
        `this is not YAML: ${inOneLine(error.message)}`,
        fix,
      )
    }
    if (document.contents === null) return { node: undefined, problems: [] }
    const second = documents[1]?.contents?.range
    return {
      ...new Reader(source, from).read(document.contents as ParsedNode),
      warnings: second === undefined || second === null ? [] : [ignored(source, from + second[0])],
    }
  } catch (error) {
    // Nesting of thousands of levels ends the parser's stack before our own bound is asked.
    if (error instanceof RangeError) return failed(source, from, from, 'CONFIG_TOO_LARGE', tooDeep)
    throw error
  }
}

const tooDeep = `maps and lists are nested more than ${MAX_DEPTH} levels deep`
const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

function failed(source: Source, start: number, end: number, code: ProblemCode, what: string, fix?: string): Parsed {
  const problem: Problem = {
    code,
    path: '',
    what,
    place: { source, start, end },
    ...(fix === undefined ? {} : { fix }),
  }
  return { node: undefined, problems: [problem] }
}

function ignored(source: Source, start: number): Problem {
  const what = 'only the first document of a file is read, as in the Collector, and this is the second'
  return {
    code: 'CONFIG_IGNORED',
    path: '',
    what,
    fix: 'remove the line with --- above',
    place: { source, start, end: start + 1 },
  }
}

/** Where a quote was opened that is never closed; the package points at the end of the text. */
function unclosedQuote(document: Document.Parsed, error: YAMLParseError): readonly [number, number] | undefined {
  if (error.code !== 'MISSING_CHAR' || !error.message.includes('quote')) return undefined
  let opened: readonly [number, number] | undefined
  visit(document, {
    Scalar(_key, { type, range }) {
      if (type?.startsWith('QUOTE') && range && range[0] <= error.pos[0]) opened = [range[0], range[0] + 1]
    },
  })
  return opened
}

/** Ends the reading of a document that is too large; caught in this file. */
class TooLarge extends Error {
  readonly problem: Problem
  constructor(what: string, place: Place) {
    super(what)
    this.problem = { code: 'CONFIG_TOO_LARGE', path: '', what, place }
  }
}

class Reader {
  readonly #source: Source
  readonly #from: number
  readonly #problems: Problem[] = []
  readonly #anchors = new Map<string, Node>()
  /** Nodes below a node, itself included, each alias counted in full. */
  readonly #sizes = new WeakMap<Node, number>()

  constructor(source: Source, from: number) {
    this.#source = source
    this.#from = from
  }

  read(contents: ParsedNode): Parsed {
    try {
      const node = this.#node(contents, 0, '')
      return { node: this.#problems.length === 0 ? node : undefined, problems: this.#problems }
    } catch (error) {
      if (error instanceof TooLarge) return { node: undefined, problems: [...this.#problems, error.problem] }
      throw error
    }
  }

  #place(node: { range?: readonly number[] | null | undefined }): Place {
    const [start = 0, end = start] = node.range ?? []
    return { source: this.#source, start: this.#from + start, end: this.#from + end }
  }

  #problem(code: ProblemCode, path: string, what: string, place: Place, fix?: string): void {
    this.#problems.push({ code, path, what, place, ...(fix === undefined ? {} : { fix }) })
  }

  #node(node: ParsedNode, depth: number, path: string): Node {
    const place = this.#place(node)
    if (depth > MAX_DEPTH) throw new TooLarge(tooDeep, place)
    if (isAlias(node)) return this.#alias(node, place)
    let result: Node
    if (isMap(node)) {
      result = this.#map(node, place, depth, path)
    } else if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#node(item as ParsedNode, depth + 1, `${path}[${index}]`))
      result = { kind: 'list', place, items }
      this.#measure(result, items)
    } else if (isScalar(node)) {
      const plain = node.type === 'PLAIN'
      const text = typeof node.value === 'string' ? node.value : (node.source ?? '')
      const value = node.tag === undefined ? (plain ? resolvePlain(text) : text) : resolveTagged(node.tag, text, plain)
      if (value === undefined) this.#problem('CONFIG_WRONG_TYPE', path, `${text} is no ${node.tag}`, place)
      result = { kind: 'scalar', place, value: value ?? null }
    } else {
      result = { kind: 'scalar', place, value: null }
    }
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, result)
    return result
  }

  #alias(node: Alias, place: Place): Node {
    const target = this.#anchors.get(node.source)
    if (target !== undefined) return target
    const fix = `name an anchor that is complete before this place, or write &${node.source} there`
    this.#problem('CONFIG_SYNTAX', '', `there is no anchor &${node.source} before this place`, place, fix)
    return { kind: 'scalar', place, value: null }
  }

  #map(map: YAMLMap, place: Place, depth: number, path: string): MapNode {
    const entries = new Map<string, Entry>()
    const merged: { key: Place; value: Node }[] = []
    const written = new Map<string, Place>()
    for (const pair of map.items) {
      const keyNode = pair.key as ParsedNode | null
      const key = keyNode === null ? place : this.#place(keyNode)
      const text = this.#keyText(keyNode)
      if (text === undefined) {
        this.#problem('CONFIG_SYNTAX', path, 'a key must be a word, not a map or a list', key)
        continue
      }
      const under = path === '' ? text : `${path}.${text}`
      const value: Node =
        pair.value === null
          ? { kind: 'scalar', place: { ...key, start: key.end }, value: null }
          : this.#node(pair.value as ParsedNode, depth + 1, under)
      const first = written.get(text)
      if (first !== undefined) {
        const { line } = this.#source.position(first.start)
        this.#problem(
          'CONFIG_DUPLICATE',
          under,
          `the key ${text} stands here twice; first in line ${line}`,
          key,
          `remove one`,
        )
        continue
      }
      written.set(text, key)
      if (text === '<<' && isScalar(keyNode) && keyNode.type === 'PLAIN') merged.push({ key, value })
      else setNested(entries, text.split(KEY_DELIMITER), { key, value })
    }
    // What is written wins over what is merged, wherever the merge key stands.
    for (const { key, value } of merged) this.#merge(entries, value, key, path)
    const result: MapNode = { kind: 'map', place, entries }
    this.#measure(
      result,
      [...entries.values()].map((entry) => entry.value),
    )
    return result
  }

  #keyText(key: ParsedNode | null): string | undefined {
    if (key === null) return ''
    const node = isAlias(key) ? this.#anchors.get(key.source) : undefined
    if (node !== undefined) return node.kind === 'scalar' ? String(node.value) : undefined
    return isScalar(key) ? String(key.value ?? key.source ?? '') : undefined
  }

  #merge(entries: Map<string, Entry>, value: Node, key: Place, path: string): void {
    const maps = value.kind === 'list' ? value.items : [value]
    for (const map of maps) {
      if (map.kind !== 'map') {
        this.#problem('CONFIG_SYNTAX', path, 'a merge takes a map or a list of maps', key, 'write <<: *ANCHOR of a map')
        return
      }
      for (const [name, entry] of map.entries) if (!entries.has(name)) entries.set(name, entry)
    }
  }

  #measure(node: Node, children: readonly Node[]): void {
    let size = 1
    for (const child of children) size += this.#sizes.get(child) ?? 1
    if (size > MAX_NODES) throw new TooLarge(`its aliases unfold to more than ${MAX_NODES} values`, node.place)
    this.#sizes.set(node, size)
  }
}

/** Puts an entry under nested keys; maps that are already there gain it, anything else gives way. */
function setNested(entries: Map<string, Entry>, keys: readonly string[], entry: Entry): void {
  const [key, ...rest] = keys
  const there = entries.get(key!)
  if (rest.length === 0) {
    const both =
      there?.value.kind === 'map' && entry.value.kind === 'map' ? joined(there.value, entry.value) : entry.value
    entries.set(key!, { key: entry.key, value: both })
    return
  }
  const inner = new Map(there?.value.kind === 'map' ? there.value.entries : [])
  setNested(inner, rest, entry)
  const place = there?.value.kind === 'map' ? there.value.place : entry.value.place
  entries.set(key!, { key: there?.key ?? entry.key, value: { kind: 'map', place, entries: inner } })
}

function joined(a: MapNode, b: MapNode): MapNode {
  const entries = new Map(a.entries)
  for (const [key, entry] of b.entries) setNested(entries, [key], entry)
  return { ...b, entries }
}
