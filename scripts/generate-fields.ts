// Writes the tables of fields from proto/: `npm run fields`. With `--check` it writes nothing and fails when one is out
// of date. The same files give the same bytes.

import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Where the tables of a protocol stand, by the names that are its own; the first has all that no other claims. */
const TARGETS: readonly { readonly file: string; readonly owns: readonly string[] }[] = [
  { file: 'src/otlp/fields.ts', owns: [] },
  { file: 'src/jaeger/fields.ts', owns: ['.jaeger.'] },
  { file: 'src/sparkplug/fields.ts', owns: ['.org.eclipse.tahu.protobuf.'] },
  { file: 'src/prometheus/fields.ts', owns: ['.io.prometheus.client.'] },
  { file: 'src/prometheus/remote-write-fields.ts', owns: ['.prometheus.', '.io.prometheus.write.v2.'] },
]

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const SCALAR_WIRE_TYPE: Readonly<Record<string, number>> = {
  int32: VARINT,
  int64: VARINT,
  uint32: VARINT,
  uint64: VARINT,
  sint32: VARINT,
  sint64: VARINT,
  bool: VARINT,
  fixed64: FIXED64,
  sfixed64: FIXED64,
  double: FIXED64,
  fixed32: FIXED32,
  sfixed32: FIXED32,
  float: FIXED32,
  string: BYTES,
  bytes: BYTES,
}

// OTLP, "JSON Protobuf Encoding": these bytes are hexadecimal in JSON, and have these lengths where they are not empty.
const ID_BYTES: Readonly<Record<string, number>> = { trace_id: 16, profile_id: 16, span_id: 8, parent_span_id: 8 }

// Two packages may use one name; these get another one.
const RENAMED: Readonly<Record<string, string>> = { '.google.rpc.Status': 'RPC_STATUS' }
const PREFIXED: readonly (readonly [namespace: string, prefix: string])[] = [
  ['.jaeger.api_v2.', 'JAEGER_'],
  ['.io.prometheus.write.v2.', 'V2_'],
]

/** `npm run fields` and its test: the text that each table should have, by its file. */
export function generateFields(): ReadonlyMap<string, string> {
  const root = new protobuf.Root()
  const proto = join(ROOT, 'proto')
  root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(proto, target))
  root.loadSync(
    globSync('**/*.proto', { cwd: proto })
      .sort()
      .map((file) => join(proto, file)),
    { keepCase: true },
  )
  root.resolveAll()

  const messages: protobuf.Type[] = []
  const enums: protobuf.Enum[] = []
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const entry of namespace.nestedArray) {
      if (entry instanceof protobuf.Enum) enums.push(entry)
      if (entry instanceof protobuf.Type) messages.push(entry)
      if (entry instanceof protobuf.Namespace) visit(entry)
    }
  }
  visit(root)
  const texts = TARGETS.map(({ file }, index) => {
    const isOwn = (entry: { fullName: string }): boolean => targetOf(entry.fullName) === index
    return [file, fileText(file, messages.filter(isOwn), enums.filter(isOwn))] as const
  })
  return new Map(texts)
}

function targetOf(fullName: string): number {
  const owner = TARGETS.findIndex(({ owns }) => owns.some((name) => fullName.startsWith(name)))
  return Math.max(0, owner)
}

function fileText(file: string, messages: protobuf.Type[], enums: protobuf.Enum[]): string {
  const byName = (a: { fullName: string }, b: { fullName: string }): number => (a.fullName < b.fullName ? -1 : 1)
  messages.sort(byName)
  enums.sort(byName)
  const taken = new Map<string, string>()
  for (const entry of [...messages, ...enums]) {
    const name = constantName(entry)
    const other = taken.get(name)
    if (other !== undefined) throw new Error(`${other} and ${entry.fullName} would both be ${name}: add one to RENAMED`)
    taken.set(name, entry.fullName)
  }
  const types = file === TARGETS[0]!.file ? TYPES : IMPORTED_TYPES
  const text = [HEADER, types, ...enums.map(enumText), ...messages.map(messageText), indexText(messages, enums)].join(
    '\n',
  )
  return execFileSync(join(ROOT, 'node_modules/.bin/biome'), ['format', `--stdin-file-path=${file}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  })
}

const HEADER = `// Generated from proto/ by scripts/generate-fields.ts: \`npm run fields\`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares \`SPAN.wireType[number]\` and \`SPAN.TRACE_ID\`.
`

const IMPORTED_TYPES = "import type { EnumTable, MessageTable } from '../otlp/fields.ts'\n"

const TYPES = `export type FieldKind =
  | 'double' | 'float' | 'int32' | 'int64' | 'uint32' | 'uint64' | 'sint32' | 'sint64'
  | 'fixed32' | 'fixed64' | 'sfixed32' | 'sfixed64' | 'bool' | 'string' | 'bytes' | 'enum' | 'message'

export interface Field {
  readonly number: number
  /** As in the .proto file, for example \`trace_id\`. */
  readonly name: string
  /** As in JSON, for example \`traceId\`. */
  readonly json: string
  readonly kind: FieldKind
  /** The wire type of one value; the table's wireType says 2 where values come packed. */
  readonly wireType: number
  /** Full name of the message or enum. */
  readonly type?: string
  readonly repeated?: true
  /** Repeated scalars: written packed, to be understood both ways. */
  readonly packed?: true
  /** Has presence of its own: a zero that was set is told from one that was not. */
  readonly optional?: true
  readonly oneof?: string
  /** Bytes that are hexadecimal in JSON, with the length they have where they are not empty. */
  readonly idBytes?: number
}

export interface MessageTable {
  /** Full name, for example \`opentelemetry.proto.trace.v1.Span\`. */
  readonly message: string
  /** By field number; 255 where there is no field. */
  readonly wireType: Uint8Array
  /** Ascending by number. */
  readonly fields: readonly Field[]
}

export interface EnumTable {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}
`

const upper = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase()

/** `Span.Event` is SPAN_EVENT: the package is left out, enclosing messages are not. */
function constantName(entry: protobuf.Type | protobuf.Enum): string {
  const renamed = RENAMED[entry.fullName]
  if (renamed !== undefined) return renamed
  const words = [entry.name]
  for (let parent = entry.parent; parent instanceof protobuf.Type; parent = parent.parent) {
    if (!entry.name.startsWith(parent.name)) words.unshift(parent.name)
  }
  const prefix = PREFIXED.find(([namespace]) => entry.fullName.startsWith(namespace))?.[1] ?? ''
  return prefix + words.map(upper).join('_')
}

const fullName = (entry: protobuf.ReflectionObject): string => entry.fullName.slice(1)

function enumText(entry: protobuf.Enum): string {
  const values = Object.entries(entry.values).map(([name, number]) => `${name}: ${number},`)
  return `export const ${constantName(entry)} = {\n name: '${fullName(entry)}',\n values: {\n${values.join('\n')}\n},\n} as const\n`
}

function messageText(entry: protobuf.Type): string {
  const fields = [...entry.fieldsArray].sort((a, b) => a.id - b.id)
  const wireTypes = new Array<number>((fields.at(-1)?.id ?? 0) + 1).fill(255)
  for (const field of fields) wireTypes[field.id] = field.repeated ? BYTES : elementWireType(field)
  return [
    `export const ${constantName(entry)} = {`,
    ...fields.map((field) => `${field.name.toUpperCase()}: ${field.id},`),
    `message: '${fullName(entry)}',`,
    `wireType: Uint8Array.of(${wireTypes.join(', ')}),`,
    `fields: [`,
    ...fields.map((field) => `{ ${fieldText(field)} },`),
    `],`,
    `} as const satisfies MessageTable & Record<string, unknown>\n`,
  ].join('\n')
}

function elementWireType(field: protobuf.Field): number {
  if (field.resolvedType instanceof protobuf.Enum) return VARINT
  if (field.resolvedType instanceof protobuf.Type) return BYTES
  const wireType = SCALAR_WIRE_TYPE[field.type]
  if (wireType === undefined) throw new Error(`${field.fullName}: no wire type for ${field.type}`)
  return wireType
}

function fieldText(field: protobuf.Field): string {
  const wireType = elementWireType(field)
  const type = field.resolvedType
  const kind = type === null ? field.type : type instanceof protobuf.Enum ? 'enum' : 'message'
  const optional = field.options?.proto3_optional === true
  const oneof = optional ? undefined : field.partOf?.name
  const idBytes = kind === 'bytes' && field.fullName.startsWith('.opentelemetry.') ? ID_BYTES[field.name] : undefined
  return [
    `number: ${field.id}`,
    `name: '${field.name}'`,
    `json: '${camelCase(field.name)}'`,
    `kind: '${kind}'`,
    `wireType: ${wireType}`,
    ...(type === null ? [] : [`type: '${fullName(type)}'`]),
    ...(field.repeated ? ['repeated: true'] : []),
    ...(field.repeated && wireType !== BYTES ? ['packed: true'] : []),
    ...(optional ? ['optional: true'] : []),
    ...(oneof === undefined ? [] : [`oneof: '${oneof}'`]),
    ...(idBytes === undefined ? [] : [`idBytes: ${idBytes}`]),
  ].join(', ')
}

// Protocol Buffers, "ProtoJSON Format": the lowerCamelCase of a field's name.
const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())

function indexText(messages: readonly protobuf.Type[], enums: readonly protobuf.Enum[]): string {
  const rows = (entries: readonly (protobuf.Type | protobuf.Enum)[]): string =>
    entries.map((entry) => `'${fullName(entry)}': ${constantName(entry)},`).join('\n')
  return `/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {\n${rows(messages)}\n}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {\n${rows(enums)}\n}
`
}

if (import.meta.main) {
  for (const [file, text] of generateFields()) {
    const target = join(ROOT, file)
    if (!process.argv.includes('--check')) writeFileSync(target, text)
    else if (readFileSync(target, 'utf8') !== text) {
      console.error(`${file} is out of date: run \`npm run fields\``)
      process.exitCode = 1
    }
  }
}
