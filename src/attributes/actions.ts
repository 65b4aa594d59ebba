// What the attributes and resource processors do to one map of attributes: a list of actions, in order, each seeing what
// those before it did (reference/otelcol-processors.md 3.1).
//
// Literals and keys are encoded once. Inserting, updating and deleting compare and copy bytes; patterns, extract, hash and
// convert make strings.

import type { AttributeMap } from '../otlp/attribute.ts'
import type { ClientInfo } from '../otlp/batch.ts'
import { encodeString, encodeText } from '../otlp/encode.ts'
import { VALUE } from '../otlp/value.ts'
import type { Walk } from '../otlp/walk.ts'
import type { ActionConfig } from './action-config.ts'
import { findInContext } from './context.ts'
import { converted, ValueHash } from './convert.ts'
import { encodeLiteral } from './literal.ts'
import { type LiteralEdit, LiteralEdits } from './literal-edits.ts'
import { CachedPattern, Pattern } from './pattern.ts'

interface Action {
  /** What it does, where that is no more than to write a literal or to delete. */
  readonly literal?: LiteralEdit | undefined
  /** Before the first map of a batch. */
  begin?(client: ClientInfo): void
  apply(map: AttributeMap): void
}

export class AttributeActions {
  readonly #actions: readonly Action[]
  /** All of them, where they are the usual ones. */
  readonly #literals: LiteralEdits | undefined

  constructor(configs: readonly ActionConfig[]) {
    this.#actions = configs.map(toAction)
    const literals = this.#actions.map(({ literal }) => literal).filter((literal) => literal !== undefined)
    if (literals.length === this.#actions.length) this.#literals = LiteralEdits.find(literals)
  }

  /** Before the first map of a batch from `client`. */
  begin(client: ClientInfo): void {
    for (const action of this.#actions) action.begin?.(client)
    this.#literals?.begin()
  }

  /** To the attributes of the walk's current span, log record or data point. */
  applyToRecord(walk: Walk): void {
    if (this.#literals?.tryApply(walk) !== true) this.apply(walk.attributes)
  }

  apply(map: AttributeMap): void {
    const actions = this.#actions
    for (let i = 0; i < actions.length; i++) actions[i]!.apply(map)
  }
}

function toAction(config: ActionConfig): Action {
  switch (config.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return config.fromAttribute === undefined || config.fromAttribute === ''
        ? new Write(config)
        : new Copy(config, config.fromAttribute)
    case 'delete':
      return new Delete(config)
    case 'hash':
      return new Hash(config)
    case 'extract':
      return new Extract(config)
    case 'convert':
      return new Convert(config)
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null
const literal = (value: ActionConfig['value']): Uint8Array | undefined =>
  isGiven(value) ? encodeLiteral(value as NonNullable<typeof value>) : undefined

/** insert, update, upsert of a literal or of something from the client. */
class Write implements Action, LiteralEdit {
  readonly key: Uint8Array
  readonly adds: boolean
  readonly replaces: boolean
  readonly removes = false
  readonly #fromContext: string | undefined
  readonly #default: Uint8Array | undefined
  #value: Uint8Array | undefined

  constructor(config: ActionConfig) {
    this.key = encodeText(config.key)
    this.adds = config.action !== 'update'
    this.replaces = config.action !== 'insert'
    this.#fromContext = config.fromContext === '' ? undefined : config.fromContext
    this.#default = literal(config.defaultValue)
    this.#value = literal(config.value) ?? this.#default
  }

  get literal(): LiteralEdit {
    return this
  }

  get value(): Uint8Array | undefined {
    return this.#value
  }

  begin(client: ClientInfo): void {
    if (this.#fromContext !== undefined) this.#value = findInContext(client, this.#fromContext) ?? this.#default
  }

  apply(map: AttributeMap): void {
    const value = this.#value
    if (value === undefined) return
    const at = map.find(this.key)
    if (at < 0) {
      if (this.adds) map.insert(this.key, value)
    } else if (this.replaces) map.set(at, value)
  }
}

/** insert, update, upsert of another attribute's value, which moves as bytes. */
class Copy implements Action {
  readonly #key: Uint8Array
  readonly #from: Uint8Array
  readonly #adds: boolean
  readonly #replaces: boolean
  readonly #default: Uint8Array | undefined

  constructor(config: ActionConfig, from: string) {
    this.#key = encodeText(config.key)
    this.#from = encodeText(from)
    this.#adds = config.action !== 'update'
    this.#replaces = config.action !== 'insert'
    this.#default = literal(config.defaultValue)
  }

  apply(map: AttributeMap): void {
    const at = map.find(this.#key)
    if (at < 0 ? !this.#adds : !this.#replaces) return
    const from = map.find(this.#from)
    if (from >= 0) {
      if (at < 0) map.insertCopy(this.#key, from)
      else if (at !== from) map.setCopy(at, from)
    } else if (this.#default !== undefined) {
      if (at < 0) map.insert(this.#key, this.#default)
      else map.set(at, this.#default)
    }
  }
}

const keyOf = (config: ActionConfig): Uint8Array | undefined => (config.key === '' ? undefined : encodeText(config.key))
const keyPatternOf = (config: ActionConfig): CachedPattern | undefined =>
  config.pattern === undefined || config.pattern === '' ? undefined : new CachedPattern(new Pattern(config.pattern))

const matchesKey = (pattern: CachedPattern, map: AttributeMap, i: number): boolean =>
  pattern.matchesBytes(map.source(i), map.keyStart(i), map.keyEnd(i))

class Delete implements Action {
  readonly literal: LiteralEdit | undefined
  readonly #key: Uint8Array | undefined
  readonly #pattern: CachedPattern | undefined

  constructor(config: ActionConfig) {
    this.#key = keyOf(config)
    this.#pattern = keyPatternOf(config)
    if (this.#key !== undefined && this.#pattern === undefined)
      this.literal = { key: this.#key, value: undefined, adds: false, replaces: false, removes: true }
  }

  apply(map: AttributeMap): void {
    if (this.#key !== undefined) {
      // A key that stands twice goes twice: who deletes means that it is not there afterwards.
      for (let at = map.find(this.#key); at >= 0; at = map.find(this.#key, at)) map.remove(at)
    }
    if (this.#pattern === undefined) return
    for (let i = 0; i < map.count; i++) if (map.has(i) && matchesKey(this.#pattern, map, i)) map.remove(i)
  }
}

class Hash implements Action {
  readonly #hash = new ValueHash()
  readonly #key: Uint8Array | undefined
  readonly #pattern: CachedPattern | undefined

  constructor(config: ActionConfig) {
    this.#key = keyOf(config)
    this.#pattern = keyPatternOf(config)
  }

  apply(map: AttributeMap): void {
    if (this.#key !== undefined) {
      const at = map.find(this.#key)
      if (at >= 0) map.set(at, this.#hash.of(map.value(at)))
    }
    if (this.#pattern === undefined) return
    // A key that is named and matches the pattern too is hashed twice, as in the Collector.
    for (let i = 0; i < map.count; i++)
      if (map.has(i) && matchesKey(this.#pattern, map, i)) map.set(i, this.#hash.of(map.value(i)))
  }
}

class Extract implements Action {
  readonly #key: Uint8Array
  readonly #pattern: Pattern
  readonly #targets: readonly Uint8Array[]

  constructor(config: ActionConfig) {
    this.#key = encodeText(config.key)
    this.#pattern = new Pattern(config.pattern!)
    this.#targets = this.#pattern.groupNames().map((name) => encodeText(name!))
  }

  apply(map: AttributeMap): void {
    const source = map.find(this.#key)
    if (source < 0) return
    const value = map.value(source)
    if (value.type !== VALUE.STRING) return
    const groups = this.#pattern.groups(value.toText())
    if (groups === undefined) return
    for (let i = 0; i < groups.length; i++) {
      const target = this.#targets[i]!
      const text = encodeString(groups[i]!)
      const at = map.find(target)
      if (at < 0) map.insert(target, text)
      else map.set(at, text)
    }
  }
}

class Convert implements Action {
  readonly #key: Uint8Array
  readonly #to: 'string' | 'int' | 'double'

  constructor(config: ActionConfig) {
    this.#key = encodeText(config.key)
    this.#to = config.convertedType!
  }

  apply(map: AttributeMap): void {
    const at = map.find(this.#key)
    if (at < 0) return
    const value = converted(map.value(at), this.#to)
    if (value !== undefined) map.set(at, value)
  }
}
