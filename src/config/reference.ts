// What a schema says, as tables for people and as JSON Schema (2020-12) for editors. Everything here is generated from
// the one declaration of each field.

import type { ComponentKind } from '../graph/component.ts'
import { COLLECTOR_TYPES } from './collector-types.ts'
import { SECTIONS } from './components.ts'
import { REMOVED_KEYS, REMOVED_TYPES } from './removed.ts'
import type { AnyField, Schema } from './schema.ts'
import { serviceValues } from './service.ts'
import { type Describable, type JsonSchema, MAP_OR_REFERENCE } from './types.ts'

const PRESENCE_WORDS: Readonly<Record<string, string>> = {
  none: 'off',
  default: 'off; a bare key turns it on',
  some: 'on',
}

const fieldsOf = (type: Describable): Schema<unknown>['fields'] | undefined =>
  'fields' in type ? (type as Schema<unknown>).fields : undefined

/** A Markdown table with one row per key, nested ones with their path. */
export function configTable(schema: Describable): string {
  const rows = rowsOf(schema, '')
  if (rows.length === 0) return 'It takes no keys.'
  return markdownTable(['key', 'type', 'default', 'meaning'], rows)
}

function rowsOf(type: Describable, path: string): string[][] {
  return (fieldsOf(type) ?? []).flatMap(({ field }) => {
    const key = `${path}${field.key}`
    const row = [`\`${key}\``, typeWords(field), defaultWords(field), meaning(field)]
    return [row, ...innerRows(field.type as Describable, key)]
  })
}

function innerRows(type: Describable, key: string): string[][] {
  if (fieldsOf(type) !== undefined) return rowsOf(type, `${key}.`)
  return type.inside === undefined ? [] : innerRows(type.inside.type, `${key}${type.inside.path}`)
}

function typeWords(field: AnyField): string {
  if (field.presence === 'ignored') return 'ignored'
  return field.words === undefined ? field.type.words : 'word'
}

function defaultWords(field: AnyField): string {
  if (field.presence === 'required') return 'required'
  const words = PRESENCE_WORDS[field.presence]
  if (words !== undefined) return words
  return field.default === undefined ? '' : `\`${JSON.stringify(field.default).replace(/^"(.+)"$/, '$1')}\``
}

function meaning(field: AnyField): string {
  const words = Object.entries(field.words ?? {}).map(([word, text]) => `\`${word === '' ? '""' : word}\`: ${text}`)
  return [field.doc, ...words].join(' ')
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** `text` with what stands between `<!-- name:start -->` and `<!-- name:end -->` replaced; undefined without the marks. */
export function fillMarkers(text: string, name: string, content: string): string | undefined {
  const start = `<!-- ${name}:start -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) return undefined
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

/** What the schema of the whole needs of each component. */
export interface DescribedComponent {
  readonly kind: ComponentKind
  readonly type: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly config: Describable
}

/** The schema of a whole configuration file. It accepts what Millrace accepts, and the Collector's other components. */
export function documentSchema(components: readonly DescribedComponent[], telemetry: Describable): JsonSchema {
  const ids = { type: ['array', 'string', 'null'], items: { type: 'string' } }
  const pipeline = {
    ...MAP_OR_REFERENCE,
    required: ['receivers', 'exporters'],
    properties: { receivers: ids, processors: ids, exporters: ids },
  }
  const kinds = Object.entries(SECTIONS) as [ComponentKind, string][]
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Millrace configuration',
    description: 'Receivers, processors, exporters and connectors, and the pipelines that join them.',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(kinds.map(([kind, section]) => [section, sectionSchema(kind, components)])),
      service: {
        ...MAP_OR_REFERENCE,
        properties: {
          extensions: { ...ids, description: 'Ids of the extensions that run.' },
          pipelines: {
            description: 'Each joins receivers, processors and exporters of one signal.',
            ...MAP_OR_REFERENCE,
            patternProperties: { '^ *(traces|metrics|logs|profiles) *(/.+)?$': pipeline },
          },
          ...(serviceValues.json() as { properties: object }).properties,
          telemetry: { ...telemetry.json(), description: "The router's own logs, metrics and resource." },
        },
      },
    },
    $defs: {
      reference: {
        description: 'Text that the environment, a file or another source gives.',
        type: 'string',
        pattern: '\\$\\{',
      },
      ...Object.fromEntries(
        components.map((component) => [`${component.kind}.${component.type}`, componentSchema(component)]),
      ),
    },
  }
}

/** Both spellings, with or without underscores, bare or with a name. */
const idPattern = (types: readonly string[]): string =>
  `^ *(${types.map((type) => type.replaceAll('_', '_?')).join('|')}) *(/.+)?$`

function sectionSchema(kind: ComponentKind, components: readonly DescribedComponent[]): JsonSchema {
  const own = components.filter((component) => component.kind === kind)
  const refOf = (type: string): JsonSchema => ({ $ref: `#/$defs/${kind}.${type}` })
  const plain = (type: string): string => type.replaceAll('_', '')
  const taken = new Set(own.flatMap(({ type, aliases = [] }) => [type, ...aliases].map(plain)))
  const removed = REMOVED_TYPES.filter((one) => one.kind === kind)
  for (const { type } of removed) taken.add(plain(type))
  const others = [...new Set(COLLECTOR_TYPES[kind].filter((type) => !taken.has(plain(type))))]
  const patterns: [string, JsonSchema][] = [
    ...own.map(({ type, aliases = [] }): [string, JsonSchema] => [idPattern([type, ...aliases]), refOf(type)]),
    ...removed.map(({ type, successor, fix }): [string, JsonSchema] => [
      idPattern([type]),
      {
        deprecated: true,
        description: fix,
        ...(own.some(({ type: here }) => here === successor) && refOf(successor!)),
      },
    ]),
    [idPattern(others), { description: 'A component of the Collector that Millrace does not have yet.' }],
  ]
  return { ...MAP_OR_REFERENCE, patternProperties: Object.fromEntries(patterns) }
}

function componentSchema({ kind, type, aliases = [], summary, config }: DescribedComponent): JsonSchema {
  const schema = structuredClone(config.json()) as Record<string, unknown>
  for (const { kind: of, types, key, fix } of REMOVED_KEYS) {
    if (of !== kind || ![type, ...aliases].some((name) => types.includes(name))) continue
    const path = key.split('.')
    const last = path.pop()!
    let properties = schema.properties as Record<string, Record<string, unknown>> | undefined
    for (const name of path) properties = properties?.[name]?.properties as typeof properties
    if (properties !== undefined && !(last in properties)) properties[last] = { deprecated: true, description: fix }
  }
  return { description: summary, ...schema }
}
