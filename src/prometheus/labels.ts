// Labels of series, from the attributes of resource, scope and point. Whoever needs them keeps what it makes of them: each
// call allocates.

import { INSTRUMENTATION_SCOPE, RESOURCE } from '../otlp/fields.ts'
import { type MergedView, ScopeView } from '../otlp/resource.ts'
import { readKeyValue, ValueView } from '../otlp/value.ts'
import { Cursor } from '../wire/cursor.ts'
import { type LabelNaming, labelName } from './names.ts'

/** A key and the value as text. */
export type Attribute = readonly [key: string, value: string]
export type Label = readonly [name: string, value: string]

const SERVICE_NAME = 'service.name'
const SERVICE_NAMESPACE = 'service.namespace'
const SERVICE_INSTANCE = 'service.instance.id'
export const SERVICE_KEYS: ReadonlySet<string> = new Set([SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE])

/** Attributes in field `field` of the message in `bytes[from, to)`. Allocates. */
export function readAttributes(
  bytes: Uint8Array,
  from: number,
  to: number,
  field: number,
  into: Attribute[] = [],
): Attribute[] {
  const value = new ValueView()
  for (const c = new Cursor().reset(bytes, from, to); c.find(field); ) {
    const entry = readKeyValue(bytes, c.start, c.end)
    into.push([entry.key, value.reset(entry.bytes, entry.from, entry.to).toText()])
  }
  return into
}

export function piecesAttributes(view: MergedView, field: number): Attribute[] {
  const attributes: Attribute[] = []
  for (let i = 0; i < view.pieces.length; i += 3)
    readAttributes(view.bytes, view.pieces[i]!, view.pieces[i + 1]!, field, attributes)
  return attributes
}

/** What a resource gives its series. */
export interface ResourceLabels {
  /** job and instance, each where the resource has what it is made of. */
  readonly labels: readonly Label[]
  /** For resource_to_telemetry_conversion. */
  readonly attributes: readonly Attribute[]
  /** Labels of target_info by name; undefined where it would not say which target it is of, or nothing at all. */
  readonly target: { readonly key: string; readonly labels: readonly Label[] } | undefined
}

export function resourceLabels(view: MergedView, naming: LabelNaming): ResourceLabels {
  const attributes = piecesAttributes(view, RESOURCE.ATTRIBUTES)
  const found = new Map(attributes)
  const name = found.get(SERVICE_NAME)
  const namespace = found.get(SERVICE_NAMESPACE)
  const job = name === undefined || namespace === undefined ? name : `${namespace}/${name}`
  const instance = found.get(SERVICE_INSTANCE)
  const labels: Label[] = []
  if (job !== undefined) labels.push(['job', job])
  if (instance !== undefined) labels.push(['instance', instance])
  const target = job && instance ? targetInfo(job, instance, attributes, naming) : undefined
  return { labels, attributes, target }
}

export const withoutServiceAttributes = (attributes: readonly Attribute[]): readonly Attribute[] =>
  attributes.filter(([key]) => !SERVICE_KEYS.has(key))

/** Colliding names share a label, their values joined. */
function targetInfo(
  job: string,
  instance: string,
  attributes: readonly Attribute[],
  naming: LabelNaming,
): ResourceLabels['target'] {
  const labels = new Map<string, string>()
  for (const [key, value] of withoutServiceAttributes(attributes)) {
    const name = labelName(key, naming)
    if (name === undefined || isReserved(name)) continue
    const other = labels.get(name)
    labels.set(name, other === undefined ? value : `${other};${value}`)
  }
  labels.set('job', job).set('instance', instance)
  return { key: JSON.stringify([job, instance]), labels: [...labels].sort(byName) }
}

const RESERVED_SCOPE_KEYS: ReadonlySet<string> = new Set(['name', 'version', 'schema_url'])

/** Labels of the scope whose parent's header is `bytes[from, to)`; undefined where one of them cannot be named. */
export function scopeLabels(
  bytes: Uint8Array,
  from: number,
  to: number,
  naming: LabelNaming,
): readonly Label[] | undefined {
  const scope = new ScopeView().reset(bytes, from, to)
  const labels: Label[] = [
    ['otel_scope_name', scope.toName()],
    ['otel_scope_version', scope.toVersion()],
    ['otel_scope_schema_url', scope.toSchemaUrl()],
  ]
  for (const [key, value] of piecesAttributes(scope, INSTRUMENTATION_SCOPE.ATTRIBUTES)) {
    if (RESERVED_SCOPE_KEYS.has(key)) continue
    const name = labelName(`otel_scope_${key}`, naming)
    if (name === undefined) return undefined
    labels.push([name, value])
  }
  return labels
}

/**
 * A series' labels: those that it shares with others and those of its attributes, by name. Undefined where a name
 * stands twice, is reserved, or is one that its samples add themselves (`own`).
 */
export function seriesLabels(
  shared: readonly Label[],
  attributes: readonly Attribute[],
  naming: LabelNaming,
  own: string | undefined,
): Label[] | undefined {
  const labels: Label[] = [...shared]
  for (const [key, value] of attributes) {
    const name = labelName(key, naming)
    if (name === undefined) return undefined
    labels.push([name, value])
  }
  labels.sort(byName)
  let before: string | undefined
  for (const [name] of labels) {
    if (name === before || name === own || isReserved(name)) return undefined
    before = name
  }
  return labels
}

const isReserved = (name: string): boolean => name.startsWith('__')

const byName = ([a]: Label, [b]: Label): number => (a < b ? -1 : a > b ? 1 : 0)
