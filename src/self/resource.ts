// The resource of our own telemetry: service.telemetry.resource in both of its forms (Collector reference 6.2).
//
//   resource: { deployment.environment: plant-3, service.instance.id: null }        the older form; null takes a default away
//   resource: { attributes: [{ name: deployment.environment, value: plant-3 }] }    the declarative form

import { type MapNode, type Node, YamlFloat, type YamlValue } from '../config/node.ts'
import { anyValue, list, object, string } from '../config/schema.ts'
import { type At, INVALID, type Invalid, type ValueType } from '../config/types.ts'
import type { BuildInfo } from '../graph/component.ts'
import type { Labels } from './meter.ts'

/** What stands in the file. */
export interface ResourceConfig {
  /** Written in the older form. */
  readonly inline: boolean
  /** Null takes a default away. */
  readonly attributes: ReadonlyMap<string, string | null>
}

const declarative = object({
  attributes: list(
    'attributes',
    object({
      name: string('name', { required: true, doc: 'Name of the attribute.' }),
      value: anyValue('value', { optional: true, doc: 'Its value.' }),
      type: string('type', { optional: true, doc: 'Read for compatibility: the type follows from the value.' }),
    }),
    { default: [], doc: 'Attributes of the resource.' },
  ),
  schemaUrl: string('schema_url', { optional: true, doc: 'Read for compatibility.' }),
})

const DECLARATIVE_KEYS: ReadonlySet<string> = new Set(['attributes', 'schema_url'])

export const resourceType: ValueType<ResourceConfig> = {
  words: 'map of attributes, or `attributes` with a list of names and values',
  secret: false,
  decode(node, at) {
    if (node.kind !== 'map')
      return at.problem('CONFIG_WRONG_TYPE', 'this is not a map', 'write attributes as a map', node.place)
    const keys = [...node.entries.keys()]
    if (!keys.some((key) => DECLARATIVE_KEYS.has(key) || key.startsWith('detection'))) return inline(node, at)
    return fromList(node, keys, at)
  },
  print: ({ attributes }) => ({ attributes: Array.from(attributes, ([name, value]) => ({ name, value })) }),
  json: () => ({ type: ['object', 'null'] }),
  zero: () => ({ inline: false, attributes: new Map() }),
}

function inline(node: MapNode, at: At): ResourceConfig | Invalid {
  const attributes = new Map<string, string | null>()
  let invalid = false
  for (const [name, entry] of node.entries) {
    const text = attributeText(entry.value)
    if (text === INVALID) {
      at.under(name, entry.key).problem('CONFIG_WRONG_TYPE', 'the value is not text or a number', 'write a text')
      invalid = true
    } else attributes.set(name, text)
  }
  return invalid ? INVALID : { inline: attributes.size > 0, attributes }
}

function fromList(node: MapNode, keys: readonly string[], at: At): ResourceConfig | Invalid {
  const before = at.problems.length
  for (const key of keys) {
    const entry = node.entries.get(key)!
    if (key.startsWith('detection')) {
      const fix = 'write the attributes that you want by hand, under attributes'
      at.under(key, entry.key).problem('CONFIG_INVALID', 'Millrace does not detect resource attributes', fix)
    } else if (!DECLARATIVE_KEYS.has(key)) {
      const what = 'attributes stand in two forms here'
      at.under(key, entry.key).problem('CONFIG_INVALID', what, `move ${key} into the list under attributes`)
    }
  }
  if (at.problems.length > before) return INVALID
  const { attributes } = declarative.decode(node, at)
  if (at.problems.length > before) return INVALID
  return { inline: false, attributes: new Map(attributes.map(({ name, value }) => [name, valueText(value)])) }
}

function attributeText(node: Node): string | null | Invalid {
  if (node.raw !== undefined) return node.raw
  if (node.kind !== 'scalar') return INVALID
  return valueText(node.value)
}

function valueText(value: YamlValue | undefined): string | null {
  if (value === undefined || value === null) return null
  if (value instanceof YamlFloat) return String(value.value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The attributes themselves: defaults from the build and `instanceId` (one for the process), then what the file says. */
export function resourceAttributes(config: ResourceConfig, build: BuildInfo, instanceId: string): Labels {
  const attributes = new Map<string, string | null>([
    ['service.instance.id', instanceId],
    ['service.name', build.command],
    ['service.version', build.version],
    ...config.attributes,
  ])
  const named = [...attributes].filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))
}
