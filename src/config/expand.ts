// `${...}` in values (Collector reference 1.4), to the letter: innermost first, again and again until nothing is left,
// a whole value keeps its type and remembers its text, `$$` becomes `$` at the end, keys are never touched.

import { type Entry, type ListNode, type MapNode, type Node, type Place, type ScalarNode, Source } from './node.ts'
import { parseYaml } from './parse.ts'
import type { Problem } from './problem.ts'
import { type Retrieved, type Retriever, tryUri } from './sources.ts'

/** Expansions that one value may need, each result expanded again. */
export const MAX_ROUNDS = 1000
/** Expansions in all: what refers to itself twice grows like a tree. */
export const MAX_EXPANSIONS = 50_000
/** Longest text that expansion may make, in characters. */
const MAX_TEXT_LENGTH = 4 * 2 ** 20

export interface Expansion {
  readonly root: Node
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Texts that references gave and that nodes now point into. */
  readonly sources: readonly Source[]
}

export async function expand(root: Node, retrieve: Retriever): Promise<Expansion> {
  const expander = new Expander(retrieve)
  const expanded = await expander.expand(root, '', MAX_ROUNDS)
  return { root: expanded, problems: expander.problems, warnings: expander.warnings, sources: expander.sources }
}

/**
 * The first reference of `text` to expand, or undefined. An odd number of `$` before `${` escapes it, and then the rest
 * of the string is not looked at either.
 */
export function findReference(text: string): { start: number; end: number } | undefined {
  let from = 0
  for (;;) {
    const close = text.indexOf('}', from)
    if (close < 0) return undefined
    const open = text.slice(from, close + 1).lastIndexOf('${')
    if (open >= 0) {
      const start = from + open
      let dollars = 0
      while (start - 1 - dollars >= from && text[start - 1 - dollars] === '$') dollars++
      return dollars % 2 === 1 ? undefined : { start, end: close + 1 }
    }
    from = close + 1
  }
}

const unescapeDollars = (text: string): string => text.replaceAll('$$', () => '$')

class Expander {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly sources: Source[] = []
  readonly #retrieve: Retriever
  /** Aliases share nodes: each shared one is expanded once. */
  readonly #done = new Map<Node, Node>()
  #expansions = 0

  constructor(retrieve: Retriever) {
    this.#retrieve = retrieve
  }

  async expand(node: Node, path: string, rounds: number): Promise<Node> {
    const known = this.#done.get(node)
    if (known !== undefined) return known
    const result = await this.#fresh(node, path, rounds)
    this.#done.set(node, result)
    return result
  }

  async #fresh(node: Node, path: string, rounds: number): Promise<Node> {
    if (node.kind === 'map') {
      const entries = new Map<string, Entry>()
      for (const [key, entry] of node.entries) {
        const value = await this.expand(entry.value, path === '' ? key : `${path}.${key}`, rounds)
        entries.set(key, value === entry.value ? entry : { key: entry.key, value })
      }
      return { ...node, entries } satisfies MapNode
    }
    if (node.kind === 'list') {
      const items: Node[] = []
      for (const [index, item] of node.items.entries()) items.push(await this.expand(item, `${path}[${index}]`, rounds))
      return { ...node, items } satisfies ListNode
    }
    if (typeof node.value !== 'string' || !node.value.includes('$')) return node
    return await this.#text(node, node.value, path, rounds)
  }

  async #text(node: ScalarNode, written: string, path: string, rounds: number): Promise<Node> {
    let text = written
    // Set once the whole value was one reference: then a string field gets this text as it is.
    let whole = node.raw !== undefined
    for (let left = rounds; ; left--) {
      const found = findReference(text)
      if (found === undefined) {
        const value = unescapeDollars(text)
        return { ...node, value, ...(whole ? { raw: value } : {}) }
      }
      const uri = text.slice(found.start, found.end)
      const place = placeOf(node.place, uri)
      if (left === 0 || ++this.#expansions > MAX_EXPANSIONS)
        return this.#fail(node, path, place, 'too many recursive expansions')
      const got = await this.#resolve(uri, path, place)
      if (got === undefined) return { kind: 'scalar', place: node.place, value: null }
      if (found.start === 0 && found.end === text.length) {
        const value = this.#parse(got, node.place)
        if (value.kind === 'scalar' && typeof value.value === 'string') {
          text = got.text
          whole = true
          continue
        }
        return await this.#structure(value, got.text, path, left - 1)
      }
      text = text.replaceAll(uri, () => got.text)
      whole = false
      if (text.length > MAX_TEXT_LENGTH) return this.#fail(node, path, place, 'the text grows too long')
    }
  }

  /** A number, boolean, null, list or map that a reference gave, and the text it was read from. */
  async #structure(value: Node, text: string, path: string, rounds: number): Promise<Node> {
    if (value.kind === 'scalar') return { ...value, raw: text }
    const expanded = await this.#fresh(value, path, rounds)
    // A string field takes the text; its references must be expanded too, and only there may they fail.
    if (!text.includes('$')) return { ...expanded, raw: text }
    const silent = new Expander(this.#retrieve)
    silent.#expansions = this.#expansions
    const raw = await silent.#text({ kind: 'scalar', place: value.place, value: text }, text, path, rounds)
    this.#expansions = silent.#expansions
    return raw.kind === 'scalar' && typeof raw.value === 'string' ? { ...expanded, raw: raw.value } : expanded
  }

  async #resolve(reference: string, path: string, place: Place): Promise<{ text: string; name: string } | undefined> {
    const inner = reference.slice(2, -1)
    const uri = inner.includes(':') ? tryUri(inner) : { scheme: 'env', opaque: inner }
    const report = (failure: Retrieved & { ok: false }): void => {
      const { code, what, fix } = failure
      this.problems.push({ code, path, what, place, ...(fix === undefined ? {} : { fix }) })
    }
    if (uri === undefined) {
      const fix = `write \${env:NAME}, \${file:PATH}, or $${reference} for the text itself`
      report({ ok: false, code: 'CONFIG_REFERENCE', what: `${reference} is no reference`, fix })
      return undefined
    }
    if (uri.opaque.includes('$')) {
      const fix = `write $${reference} for the text itself`
      report({ ok: false, code: 'CONFIG_REFERENCE', what: `${reference} contains a $, which a reference may not`, fix })
      return undefined
    }
    const got = await this.#retrieve(uri)
    if (!got.ok) {
      report(got)
      return undefined
    }
    if (got.state !== undefined) this.#note(got, path, place)
    return got
  }

  #note(got: Retrieved & { ok: true }, path: string, place: Place): void {
    const name = got.name.slice('env:'.length)
    const code = got.state === 'unset' ? 'CONFIG_UNSET' : 'CONFIG_EMPTY_VALUE'
    if (this.warnings.some((w) => w.code === code && w.place?.start === place.start && w.place.source === place.source))
      return
    const what = `the environment variable ${name} is ${got.state === 'unset' ? 'not set' : 'empty'}`
    const fix = got.state === 'unset' ? { fix: `set ${name}, or give a default: \${env:${name}:-VALUE}` } : {}
    this.warnings.push({ code, path, what, place, ...fix })
  }

  #parse(got: { text: string; name: string }, place: Place): Node {
    const source = new Source(got.name, got.text)
    const { node, problems } = parseYaml(source)
    if (problems.length > 0) return { kind: 'scalar', place, value: got.text, raw: got.text }
    if (node === undefined) return { kind: 'scalar', place, value: null, raw: got.text }
    if (node.kind === 'scalar') return { ...node, place, raw: got.text }
    this.sources.push(source)
    return node
  }

  #fail(node: ScalarNode, path: string, place: Place, what: string): Node {
    if (!this.problems.some((problem) => problem.code === 'CONFIG_TOO_LARGE')) {
      const fix = 'take out the reference that leads back to itself'
      this.problems.push({ code: 'CONFIG_TOO_LARGE', path, what, place, fix })
    }
    return { kind: 'scalar', place: node.place, value: null }
  }
}

/** The reference inside the written value, or the value where the reference came from an expansion. */
function placeOf(place: Place, reference: string): Place {
  const at = place.source.text.slice(place.start, place.end).indexOf(reference)
  return at < 0 ? place : { source: place.source, start: place.start + at, end: place.start + at + reference.length }
}
