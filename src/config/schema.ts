// Field builders: one declaration gives a field's type, validation, default, its row in the README and its place in the
// JSON Schema for editors.
//
//   export const config = object({ timeoutMs: duration('timeout', { default: '200ms', doc: 'How long ...' }) })
//   export type Config = Infer<typeof config>

import type { ExtensionRole } from './extension-references.ts'
import { nearest } from './nearest.ts'
import { type Entry, fromValue, type MapNode, type Node, nounOf, quote, Source, type YamlValue } from './node.ts'
import {
  byteSizeType,
  type DurationRange,
  durationType,
  floatType,
  intType,
  type NumberRange,
} from './numeric-types.ts'
import type { Secret } from './secret.ts'
import {
  At,
  anyType,
  boolType,
  choiceType,
  extensionIdType,
  hide,
  INVALID,
  type Invalid,
  type JsonSchema,
  listType,
  MAP_OR_REFERENCE,
  mapType,
  secretType,
  stringsType,
  stringType,
  type ValueType,
  withArticle,
} from './types.ts'
import { shortDuration, tryDuration } from './units.ts'

export { YamlFloat, type YamlValue } from './node.ts'
export { Secret } from './secret.ts'

/** How a section that may be off is declared; see section(). */
export type SectionKind = 'none' | 'default' | 'some'

export interface Field<T> {
  readonly key: string
  readonly doc: string
  readonly type: ValueType<T>
  readonly presence: 'defaulted' | 'required' | 'optional' | 'ignored' | 'group' | SectionKind
  /** The default as it would be written; undefined where there is none. */
  readonly default?: unknown
  /** Meanings of a choice's words. */
  readonly words?: Readonly<Record<string, string>>
  /** `entry` is absent when the key is; `at` is the map around it. */
  decode(entry: Entry | undefined, at: At): T
  print(value: T, reveal: boolean): unknown
}

// biome-ignore lint/suspicious/noExplicitAny: a record of fields holds fields of every type
export type AnyField = Field<any>
export type Fields = Readonly<Record<string, AnyField>>

/** The decoded record; ignored keys leave no trace in it. */
export type Decoded<F extends Fields> = {
  [K in keyof F as F[K] extends Field<never> ? never : K]: F[K] extends Field<infer T> ? T : never
}

export interface Schema<T> extends ValueType<T> {
  readonly fields: readonly { readonly name: string; readonly field: AnyField }[]
  /** Never INVALID: after a problem the defaults stand in. An absent node means all defaults. */
  decode(node: Node | undefined, at: At): T
}

export type Infer<S> = S extends Schema<infer T> ? T : never

/** Reports what `check` found at the field `path` (dots between keys; empty for the whole). */
export type Complain = (path: string, what: string, fix?: string) => void

export interface ObjectOptions<T> {
  /** Rules between fields; runs when every field of the object is right by itself. */
  check?(value: T, problem: Complain): void
}

export function object<F extends Fields>(fields: F, options: ObjectOptions<Decoded<F>> = {}): Schema<Decoded<F>> {
  const list = Object.entries(fields).map(([name, field]) => ({ name, field }))
  const isSecret = list.some(({ field }) => field.type.secret)
  const byKey = new Map(list.map(({ field }) => [field.key, field]))

  function decode(node: Node | undefined, at: At): Decoded<F> {
    const before = at.problems.length
    if (node !== undefined && isMisshapen(node)) {
      reportShape(node, at, isSecret)
      // Its keys are not missing: they were written in a shape that cannot be read.
      return decode(undefined, new At(at.path, at.place, []))
    }
    const map = node?.kind === 'map' ? node : undefined
    for (const [key, entry] of map?.entries ?? []) {
      if (!byKey.has(key)) unknownKey(key, entry, byKey.keys(), at)
    }
    const value: Record<string, unknown> = {}
    for (const { name, field } of list) {
      const decoded: unknown = field.decode(map?.entries.get(field.key), at)
      if (field.presence !== 'ignored') value[name] = decoded
    }
    const result = value as Decoded<F>
    if (at.problems.length === before) options.check?.(result, (path, what, fix) => complain(map, at, path, what, fix))
    return result
  }

  return {
    words: 'map',
    secret: isSecret,
    fields: list,
    decode,
    print: (value, reveal) =>
      Object.fromEntries(
        list
          .filter(({ field }) => field.presence !== 'ignored')
          .map(({ name, field }) => [field.key, field.print((value as Record<string, unknown>)[name], reveal)]),
      ),
    json: () => objectJson(list.map(({ field }) => field)),
    zero: () => decode(undefined, new At('', NOWHERE, [])),
  }
}

/** Anything but a map, and a null, which means all defaults. */
const isMisshapen = (node: Node): boolean => node.kind !== 'map' && !(node.kind === 'scalar' && node.value === null)

function reportShape(node: Node, at: At, isSecret: boolean): void {
  if (isSecret) hide(node)
  const found = node.kind === 'scalar' && !isSecret ? `${quote(node)} is ${nounOf(node)}` : `this is ${nounOf(node)}`
  at.problem('CONFIG_WRONG_TYPE', `${found}, not a map`, 'write its keys below it, indented', node.place)
}

function unknownKey(key: string, entry: Entry, known: Iterable<string>, at: At): void {
  const keys = [...known]
  const near = nearest(key, keys)
  const list =
    keys.length === 0 ? 'it takes no keys' : `the ${keys.length === 1 ? 'key is' : 'keys are'} ${keys.join(', ')}`
  const fix = near === undefined ? `remove it; ${list}` : `write ${near}; ${list}`
  at.under(key, entry.key).problem('CONFIG_UNKNOWN_KEY', `there is no key ${key} here`, fix)
}

/** A check names keys; its problem points at the value written there, or at the nearest thing above it. */
function complain(map: MapNode | undefined, at: At, path: string, what: string, fix: string | undefined): void {
  let node: Node | undefined = map
  let place = at.place
  for (const key of path.split(/[.[\]]+/).filter((part) => part !== '')) {
    const entry: Entry | undefined = node?.kind === 'map' ? node.entries.get(key) : undefined
    node = node?.kind === 'list' ? node.items[Number(key)] : entry?.value
    if (node === undefined) break
    place = node.kind === 'scalar' || entry === undefined ? node.place : entry.key
  }
  const full = path === '' ? at.path : at.path === '' ? path : `${at.path}.${path}`
  new At(full, place, at.problems).problem('CONFIG_INVALID', what, fix)
}

function objectJson(fields: readonly AnyField[]): JsonSchema {
  const required = fields.filter((field) => field.presence === 'required').map((field) => field.key)
  return {
    ...MAP_OR_REFERENCE,
    properties: Object.fromEntries(fields.map((field) => [field.key, fieldJson(field)])),
    ...(required.length === 0 ? {} : { required }),
  }
}

function fieldJson(field: AnyField): JsonSchema {
  const schema = field.presence === 'ignored' ? {} : field.type.json()
  const described = { description: field.doc, ...(field.default === undefined ? {} : { default: field.default }) }
  if (SECTIONS.has(field.presence)) {
    const properties = { enabled: boolType.json(), ...(schema.properties as object) }
    return { ...schema, properties, ...described }
  }
  // A key without a value keeps the default (Collector reference 1.5).
  const nullable = field.presence === 'required' || Object.keys(schema).length === 0
  return nullable ? { ...schema, ...described } : { anyOf: [schema, { type: 'null' }], ...described }
}

const SECTIONS: ReadonlySet<string> = new Set(['none', 'default', 'some'])

interface Doc {
  readonly doc: string
}

/** Exactly one of the three. */
export type Presence<D> =
  | { readonly default: D; readonly required?: never; readonly optional?: never }
  | { readonly required: true; readonly default?: never; readonly optional?: never }
  | { readonly optional: true; readonly default?: never; readonly required?: never }

type Present<T, O> = O extends { readonly optional: true } ? T | undefined : T

const NOWHERE = { source: new Source('(default)', ''), start: 0, end: 0 }

function field<T, O extends Presence<unknown> & Doc>(
  key: string,
  type: ValueType<T>,
  options: O,
  words?: Readonly<Record<string, string>>,
): Field<Present<T, O>> {
  const absent = (): T | undefined => {
    if (options.default === undefined) return options.required === true ? type.zero() : undefined
    const at = new At(key, NOWHERE, [])
    const value = type.decode(fromValue(options.default, NOWHERE), at)
    if (value === INVALID) throw new Error(`the default of ${key} is invalid: ${at.problems[0]?.what}`)
    return value
  }
  const decode = (entry: Entry | undefined, at: At): T | undefined => {
    const isNull = entry === undefined || (entry.value.kind === 'scalar' && entry.value.value === null)
    const here = entry === undefined ? at.under(key, at.place) : at.under(key, entry.key)
    if (isNull) {
      if (options.required === true) {
        const what = entry === undefined ? `${key} is missing` : `${key} is empty`
        here.problem('CONFIG_MISSING', what, `write ${key}, ${withArticle(type.words)}: ${options.doc}`)
      }
      if (entry === undefined || options.default === undefined) return absent()
      // As in the Collector: lists, maps and words keep their defaults; other values, and a reference to nothing, are zero.
      const zero = type.zero()
      if (entry.value.raw === undefined && (typeof zero === 'object' || words !== undefined)) return absent()
      const decoded = type.decode(fromValue(type.print(zero, true), entry.value.place), here)
      return decoded === INVALID ? absent() : decoded
    }
    const value: T | Invalid = type.decode(entry.value, here)
    if (value === INVALID) return absent()
    if (options.required === true && value === '') {
      here.problem('CONFIG_MISSING', `${key} is empty`, `write a value: ${options.doc}`, entry.value.place)
    }
    return value
  }
  return {
    key,
    doc: options.doc,
    type: type as ValueType<Present<T, O>>,
    presence: options.required === true ? 'required' : options.optional === true ? 'optional' : 'defaulted',
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(words === undefined ? {} : { words }),
    decode: decode as Field<Present<T, O>>['decode'],
    print: (value, reveal) => (value === undefined ? null : type.print(value as T, reveal)),
  }
}

/** A builder that also gives the bare type, for lists and maps: `string('key', {...})`, `string.of()`. */
export function string<const O extends Presence<string> & Doc>(key: string, options: O): Field<Present<string, O>> {
  return field(key, stringType, options)
}
string.of = (): ValueType<string> => stringType

export function secret<const O extends Presence<string> & Doc>(key: string, options: O): Field<Present<Secret, O>> {
  return field(key, secretType, options)
}
secret.of = (): ValueType<Secret> => secretType

export function bool<const O extends Presence<boolean> & Doc>(key: string, options: O): Field<Present<boolean, O>> {
  return field(key, boolType, options)
}
bool.of = (): ValueType<boolean> => boolType

export function int<const O extends Presence<number> & Doc & NumberRange>(
  key: string,
  options: O,
): Field<Present<number, O>> {
  return field(key, intType(options), options)
}
int.of = (range?: NumberRange): ValueType<number> => intType(range)

export function float<const O extends Presence<number> & Doc & NumberRange>(
  key: string,
  options: O,
): Field<Present<number, O>> {
  return field(key, floatType(options), options)
}
float.of = (range?: NumberRange): ValueType<number> => floatType(range)

/** Milliseconds, with a fraction for what is shorter. */
export function duration<const O extends Presence<string> & Doc & DurationRange>(
  key: string,
  options: O,
): Field<Present<number, O>> {
  const example =
    options.default === undefined ? '5s' : `${shortDuration(tryDuration(options.default) ?? 0)} (the default)`
  return field(key, durationType(options, example), options)
}
duration.of = (range?: DurationRange): ValueType<number> => durationType(range)

/** Bytes. Defaults and bounds may be written with units. */
export function byteSize<
  const O extends Presence<string | number> & Doc & { readonly min?: string | number; readonly max?: string | number },
>(key: string, options: O): Field<Present<number, O>> {
  return field(key, byteSizeType(options), options)
}
byteSize.of = (): ValueType<number> => byteSizeType()

/** The id of an extension that runs and can be used as `role`; the component finds it with `context.extension(id)`. */
export function extensionId<const O extends Presence<string> & Doc & { readonly role: ExtensionRole }>(
  key: string,
  options: O,
): Field<Present<string, O>> {
  return field(key, extensionIdType(options.role), options)
}

/** One of the words that `of` explains. */
export function choice<
  const W extends Readonly<Record<string, string>>,
  const O extends Presence<keyof W & string> & Doc & { readonly ignoreCase?: boolean },
>(key: string, options: O & { readonly of: W }): Field<Present<keyof W & string, O>> {
  return field(key, choiceType<keyof W & string>(options.of, options.ignoreCase), options, options.of)
}
choice.of = <const W extends Readonly<Record<string, string>>>(of: W): ValueType<keyof W & string> =>
  choiceType<keyof W & string>(of)

export function strings<const O extends Presence<readonly string[]> & Doc>(
  key: string,
  options: O,
): Field<Present<string[], O>> {
  return field(key, stringsType, options)
}

export function anyValue<const O extends Presence<unknown> & Doc>(
  key: string,
  options: O,
): Field<Present<YamlValue, O>> {
  return field(key, anyType, options)
}
anyValue.of = (): ValueType<YamlValue> => anyType

export function list<T, const O extends Presence<readonly unknown[]> & Doc>(
  key: string,
  element: ValueType<T>,
  options: O,
): Field<Present<T[], O>> {
  return field(key, listType(element), options)
}

export function map<T, const O extends Presence<object> & Doc>(
  key: string,
  element: ValueType<T>,
  options: O,
): Field<Present<Map<string, T>, O>> {
  return field(key, mapType(element), options)
}

/**
 * A field of a type of its own, for values that no builder here describes. A ValueType reads a node and says what is
 * wrong with it; types.ts and numeric-types.ts have simple ones to start from.
 */
export function custom<T, const O extends Presence<unknown> & Doc>(
  key: string,
  type: ValueType<T>,
  options: O,
): Field<Present<T, O>> {
  return field(key, type, options)
}

/** A map that is always there, with its defaults. */
export function group<T>(key: string, schema: Schema<T>, options: Doc): Field<T> {
  return {
    key,
    doc: options.doc,
    type: schema,
    presence: 'group',
    decode: (entry, at) => schema.decode(entry?.value, at.under(key, entry?.key ?? at.place)),
    print: (value, reveal) => schema.print(value, reveal),
  }
}

/**
 * A map that may be off (Collector reference 1.7). `optional` tells the default flavour:
 *
 *   optional    absent   `key:`   `key: {...}`   `key: {enabled: false}`
 *   none        off      off      on             off
 *   default     off      on       on             off
 *   some        on       on       on             off
 */
export function section<T>(
  key: string,
  schema: Schema<T>,
  options: Doc & {
    readonly optional: SectionKind
    /** The rest is checked with `enabled: false` too; otherwise what is switched off is not looked at. */
    readonly checkedWhenOff?: boolean
  },
): Field<T | undefined> {
  const { optional } = options
  const ownsEnabled = schema.fields.some(({ field }) => field.key === 'enabled')
  const decode = (entry: Entry | undefined, at: At): T | undefined => {
    const here = at.under(key, entry?.key ?? at.place)
    if (entry === undefined) return optional === 'some' ? schema.decode(undefined, here) : undefined
    const node = entry.value
    if (node.kind === 'scalar' && node.value === null)
      return optional === 'none' ? undefined : schema.decode(undefined, here)
    const enabled = node.kind === 'map' && !ownsEnabled ? node.entries.get('enabled') : undefined
    if (node.kind !== 'map' || enabled === undefined) return schema.decode(node, here)
    const on = boolType.decode(enabled.value, here.under('enabled', enabled.key))
    if (on === false && options.checkedWhenOff !== true) {
      // Its secrets stay hidden all the same.
      if (schema.secret) hide(node)
      return undefined
    }
    const entries = new Map(node.entries)
    entries.delete('enabled')
    const value = schema.decode({ ...node, entries }, here)
    return on === false ? undefined : value
  }
  const off = optional === 'none' ? null : { enabled: false }
  return {
    key,
    doc: options.doc,
    type: schema as ValueType<T | undefined>,
    presence: optional,
    decode,
    print: (value, reveal) => (value === undefined ? off : schema.print(value, reveal)),
  }
}

/** A key that the Collector reads and that has no effect here: any value is accepted. */
export function ignored(key: string, options: Doc): Field<never> {
  return {
    key,
    doc: options.doc,
    type: anyType as ValueType<never>,
    presence: 'ignored',
    decode: () => undefined as never,
    print: () => null,
  }
}
