// What a configuration value can be: one object per type decodes a node, prints the value back, and describes itself to
// people and editors. Builders in schema.ts put types under keys.

import type { ExtensionReference, ExtensionRole } from './extension-references.ts'
import { parseId } from './ids.ts'
import { nearest } from './nearest.ts'
import { type MapNode, type Node, nounOf, type Place, quote, toValue, type YamlValue } from './node.ts'
import type { Problem, ProblemCode } from './problem.ts'
import { maskUrlPasswords, REDACTED, Secret } from './secret.ts'

export type JsonSchema = { readonly [key: string]: unknown }

/** Returned by decode() after it reported why. */
export const INVALID = Symbol('invalid')
export type Invalid = typeof INVALID

/** A spot in the configuration that is being decoded, and the lists that its problems and references go to. */
export class At {
  readonly path: string
  readonly place: Place
  readonly problems: Problem[]
  /** Extensions that values below here name; looked at once all of them are known. */
  readonly references: ExtensionReference[]

  constructor(path: string, place: Place, problems: Problem[], references: ExtensionReference[] = []) {
    this.path = path
    this.place = place
    this.problems = problems
    this.references = references
  }

  under(key: string, place: Place): At {
    return new At(this.path === '' ? key : `${this.path}.${key}`, place, this.problems, this.references)
  }

  item(index: number, place: Place): At {
    return new At(`${this.path}[${index}]`, place, this.problems, this.references)
  }

  problem(code: ProblemCode, what: string, fix?: string, place: Place = this.place): Invalid {
    this.problems.push({ code, path: this.path, what, place, ...(fix === undefined ? {} : { fix }) })
    return INVALID
  }
}

export interface ValueType<T> {
  /** For tables and fixes: `duration`, `list of strings`. */
  readonly words: string
  /** True where the value, or something in it, must not be printed. */
  readonly secret: boolean
  decode(node: Node, at: At): T | Invalid
  /** The value as it would be written; durations and sizes as text. */
  print(value: T, reveal: boolean): unknown
  json(): JsonSchema
  /** What a reference to an unset variable means here (Collector reference 1.4). */
  zero(): T
  /** What a list or map holds, and how its paths are written: `[]` or `.NAME`. */
  readonly inside?: { readonly path: string; readonly type: Describable }
}

/** A type as pages and editor schemas see it. */
export type Describable = Pick<ValueType<unknown>, 'words' | 'json' | 'inside'>

/** Any type's value may be a reference in the file; an editor must accept it. */
const REFERENCE: JsonSchema = { $ref: '#/$defs/reference' }
export const orReference = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, REFERENCE] })

/** A map with these keys and no others, nothing, or a reference in its place; the pattern is asked of texts alone. */
export const MAP_OR_REFERENCE = { type: ['object', 'null', 'string'], pattern: '\\$\\{', additionalProperties: false }

/** Says what was found and what should stand there; a secret is not quoted. */
export function wrongType(node: Node, at: At, expected: string, isSecret = false): Invalid {
  if (isSecret) hide(node)
  const isQuoted = node.kind === 'scalar' && node.value !== null && !isSecret
  const found = isQuoted ? `${quote(node)} is ${nounOf(node)}` : `this is ${nounOf(node)}`
  const fix = expected === 'boolean' ? 'write true or false' : `write ${withArticle(expected)}`
  return at.problem('CONFIG_WRONG_TYPE', `${found}, not ${withArticle(expected)}`, fix, node.place)
}

export const withArticle = (words: string): string =>
  words.startsWith('one of') ? words : `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`

const plural = (words: string): string => words.replace(/^one of/, 'words, each').replace(/^([a-z ]+)$/, '$1s')

/** The text of a node for fields that hold text: what stood behind a reference counts as written. */
export function textOf(node: Node): string | undefined {
  if (node.raw !== undefined) return node.raw
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

export const stringType: ValueType<string> = {
  words: 'string',
  secret: false,
  decode(node, at) {
    const text = textOf(node)
    if (text !== undefined) return text
    if (node.kind !== 'scalar' || node.value === null) return wrongType(node, at, 'string')
    const written = quote(node)
    return at.problem(
      'CONFIG_WRONG_TYPE',
      `${written} is ${nounOf(node)}, not a string`,
      `write "${written}"`,
      node.place,
    )
  },
  print: (value, reveal) => (reveal ? value : maskUrlPasswords(value)),
  json: () => ({ type: 'string' }),
  zero: () => '',
}

export const secretType: ValueType<Secret> = {
  words: 'secret string',
  secret: true,
  decode(node, at) {
    hide(node)
    const text = textOf(node)
    if (text !== undefined) return new Secret(text)
    return at.problem(
      'CONFIG_WRONG_TYPE',
      `this is ${nounOf(node)}, not a string`,
      'write a string in quotes',
      node.place,
    )
  },
  print: (value, reveal) => (reveal ? value.reveal() : REDACTED),
  json: () => ({ type: 'string' }),
  zero: () => new Secret(''),
}

/** The id of an extension; whether it runs and can do what it is named for is asked once the whole file is read. */
export function extensionIdType(role: ExtensionRole): ValueType<string> {
  return {
    ...stringType,
    words: 'id of an extension',
    decode(node, at) {
      const text = stringType.decode(node, at)
      if (text === INVALID || text === '') return text
      const id = parseId(text)
      if ('wrong' in id) return at.problem('CONFIG_BAD_ID', id.wrong, id.fix, node.place)
      at.references.push({ path: at.path, place: node.place, id: id.text, role })
      return id.text
    },
  }
}

/** Marks the whole of a node as secret where it was written. */
export function hide(node: Node): void {
  node.place.source.hide(node.place.start, node.place.end)
  if (node.kind === 'list') for (const item of node.items) hide(item)
  if (node.kind === 'map') for (const entry of node.entries.values()) hide(entry.value)
}

export const boolType: ValueType<boolean> = {
  words: 'boolean',
  secret: false,
  decode(node, at) {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
    return wrongType(node, at, 'boolean')
  },
  print: (value) => value,
  json: () => orReference({ type: 'boolean' }),
  zero: () => false,
}

/** One word of a closed set. */
export function choiceType<K extends string>(of: Readonly<Record<K, string>>, ignoreCase = false): ValueType<K> {
  const words = Object.keys(of) as K[]
  const list = words.map((word) => (word === '' ? '""' : word)).join(', ')
  return {
    words: `one of ${list}`,
    secret: false,
    decode(node, at) {
      const text = textOf(node)
      if (text === undefined) {
        const found = node.kind === 'scalar' ? quote(node) : nounOf(node)
        return at.problem(
          'CONFIG_WRONG_TYPE',
          `${found} is none of the words it may be`,
          `write one of ${list}`,
          node.place,
        )
      }
      const match = words.find((word) => word === text || (ignoreCase && word.toLowerCase() === text.toLowerCase()))
      if (match !== undefined) return match
      const near = nearest(text, words)
      const fix = near === undefined ? `write one of ${list}` : `write ${near}, or another of ${list}`
      return at.problem(
        'CONFIG_UNKNOWN_CHOICE',
        `${JSON.stringify(text)} is none of the words it may be`,
        fix,
        node.place,
      )
    },
    print: (value) => value,
    json: () =>
      ignoreCase
        ? { anyOf: [{ enum: words }, { type: 'string', pattern: anyCase(words) }, REFERENCE] }
        : orReference({ enum: words }),
    zero: () => (words.includes('' as K) ? ('' as K) : words[0]!),
  }
}

/** A pattern for these words in capitals and small letters; ECMAScript's patterns have no switch for it. */
const anyCase = (words: readonly string[]): string =>
  `^(${words.map((word) => word.replaceAll(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)).join('|')})$`

/** Whatever YAML can say. */
export const anyType: ValueType<YamlValue> = {
  words: 'any value',
  secret: false,
  decode: (node) => toValue(node),
  print: (value) => value,
  json: () => ({}),
  zero: () => null,
}

/** A list of strings; one string is cut at its commas (Collector reference 1.5). */
export const stringsType: ValueType<string[]> = {
  words: 'list of strings',
  secret: false,
  decode(node, at) {
    const text = node.kind === 'list' ? undefined : textOf(node)
    if (text !== undefined) return text === '' ? [] : text.split(',')
    return listType(stringType).decode(node, at)
  },
  print: (value) => value,
  json: () => ({ type: ['array', 'string'], items: { type: 'string' } }),
  zero: () => [],
}

export const listType = <T>(element: ValueType<T>): ValueType<T[]> => ({
  words: `list of ${plural(element.words)}`,
  secret: element.secret,
  decode(node, at) {
    if (node.kind !== 'list') return wrongType(node, at, 'list', element.secret)
    const values: T[] = []
    let broken = false
    for (const [index, item] of node.items.entries()) {
      const isNull = item.kind === 'scalar' && item.value === null
      const value = isNull && item.raw !== undefined ? element.zero() : element.decode(item, at.item(index, item.place))
      if (value === INVALID) broken = true
      else values.push(value)
    }
    return broken ? INVALID : values
  },
  print: (value, reveal) => value.map((item) => element.print(item, reveal)),
  json: () => orReference({ type: 'array', items: element.json() }),
  zero: () => [],
  inside: { path: '[]', type: element },
})

/** Values by free names. Secret ones (headers) may also be a list of `{name, value}` (Collector reference 1.5). */
export const mapType = <T>(element: ValueType<T>): ValueType<Map<string, T>> => ({
  words: `map of ${plural(element.words)}`,
  secret: element.secret,
  decode(node, at) {
    if (element.secret) hide(node)
    const pairs = element.secret && node.kind === 'list' ? readPairs(node.items, at) : node
    if (pairs === INVALID) return INVALID
    if (pairs.kind !== 'map') return wrongType(pairs, at, 'map', element.secret)
    const values = new Map<string, T>()
    let broken = false
    for (const [name, entry] of pairs.entries) {
      const isNull = entry.value.kind === 'scalar' && entry.value.value === null
      const value = isNull ? element.zero() : element.decode(entry.value, at.under(name, entry.key))
      if (value === INVALID) broken = true
      else values.set(name, value)
    }
    return broken ? INVALID : values
  },
  print: (value, reveal) => Object.fromEntries([...value].map(([name, item]) => [name, element.print(item, reveal)])),
  json: () => {
    const named = { type: 'object', additionalProperties: element.json() }
    if (!element.secret) return orReference(named)
    const pair = { type: 'object', required: ['name'], additionalProperties: false }
    return {
      anyOf: [
        named,
        { type: 'array', items: { ...pair, properties: { name: { type: 'string' }, value: element.json() } } },
        REFERENCE,
      ],
    }
  },
  zero: () => new Map(),
  inside: { path: '.NAME', type: element },
})

function readPairs(items: readonly Node[], at: At): MapNode | Invalid {
  const entries = new Map<string, { key: Place; value: Node }>()
  let broken = false
  for (const [index, item] of items.entries()) {
    const here = at.item(index, item.place)
    const name = item.kind === 'map' ? item.entries.get('name') : undefined
    const value = item.kind === 'map' ? item.entries.get('value') : undefined
    const text = name === undefined ? undefined : textOf(name.value)
    if (text === undefined || value === undefined || (item.kind === 'map' && item.entries.size !== 2)) {
      here.problem('CONFIG_WRONG_TYPE', 'this is no pair of name and value', 'write {name: NAME, value: VALUE}')
      broken = true
    } else {
      entries.set(text, { key: name!.key, value: value.value })
    }
  }
  return broken ? INVALID : { kind: 'map', place: at.place, entries }
}
