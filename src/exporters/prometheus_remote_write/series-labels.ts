// The labels of a series, before its name and what its parts add (`le`, `quantile`): from the attributes of the point, the
// scope and the resource, and the labels that the configuration gives. Names that become the same share a label, their
// values joined; job and instance are the resource's; external labels give way to all others.

import { INSTRUMENTATION_SCOPE } from '../../otlp/fields.ts'
import { ScopeView } from '../../otlp/resource.ts'
import {
  type Attribute,
  type Label,
  piecesAttributes,
  type ResourceLabels,
  SERVICE_KEYS,
  withoutServiceAttributes,
} from '../../prometheus/labels.ts'
import { type LabelNaming, labelName } from '../../prometheus/names.ts'

export type LabelMap = ReadonlyMap<string, string>
export const METRIC_NAME = '__name__'

export interface LabelOptions {
  readonly labels: LabelNaming
  /** Of target_info: the Collector has older rules for it in 1.0. */
  readonly targetLabels: LabelNaming
  readonly externalLabels: readonly Label[]
  readonly withoutScopeInfo: boolean
  readonly resourceToTelemetry: 'off' | 'all' | 'without_service'
}

const SCOPE_KEYS: ReadonlySet<string> = new Set(['name', 'version', 'schema_url'])

/** Of the scope whose parent's header is `bytes[from, to)`. */
export function scopeLabels(bytes: Uint8Array, from: number, to: number, options: LabelOptions): Label[] {
  if (options.withoutScopeInfo) return []
  const scope = new ScopeView().reset(bytes, from, to)
  const labels: Label[] = [
    ['otel_scope_name', scope.toName()],
    ['otel_scope_version', scope.toVersion()],
  ]
  for (const [key, value] of piecesAttributes(scope, INSTRUMENTATION_SCOPE.ATTRIBUTES)) {
    if (SCOPE_KEYS.has(key)) continue
    const name = labelName(`otel_scope_${key}`, options.labels)
    if (name !== undefined) labels.push([name, value])
  }
  return labels
}

/** Undefined where nothing but `_` is left of a name. */
export function seriesLabels(
  attributes: readonly Attribute[],
  scope: readonly Label[],
  resource: ResourceLabels,
  options: LabelOptions,
): LabelMap | undefined {
  const { resourceToTelemetry } = options
  let all = attributes
  if (resourceToTelemetry !== 'off') {
    const added = resourceToTelemetry === 'all' ? resource.attributes : withoutServiceAttributes(resource.attributes)
    all = [...new Map([...attributes, ...added])]
  }
  const labels = joined(all, options.labels)
  if (labels === undefined) return undefined
  for (const [name, value] of [...scope, ...resource.labels]) if (value !== '') labels.set(name, value)
  addExternal(labels, options)
  return labels
}

/** Of target_info; undefined where it would not say which target it is of, or nothing else. */
export function targetLabels(resource: ResourceLabels, options: LabelOptions): LabelMap | undefined {
  const attributes = resource.attributes.filter(([key]) => !SERVICE_KEYS.has(key))
  if (attributes.length === 0) return undefined
  const labels = joined(attributes, options.targetLabels)
  if (labels === undefined) return undefined
  for (const [name, value] of resource.labels) if (value !== '') labels.set(name, value)
  if (!labels.has('job') && !labels.has('instance')) return undefined
  addExternal(labels, options)
  return labels
}

/** With further ones, by name as remote write wants them. */
export function sortedLabels(labels: LabelMap, ...more: readonly Label[]): Label[] {
  const all = new Map([...labels, ...more])
  return [...all].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function joined(attributes: readonly Attribute[], naming: LabelNaming): Map<string, string> | undefined {
  const labels = new Map<string, string>()
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  for (const [key, value] of sorted) {
    if (value === '') continue
    const name = labelName(key, naming)
    if (name === undefined) return undefined
    const other = labels.get(name)
    if (other !== value) labels.set(name, other === undefined ? value : `${other};${value}`)
  }
  return labels
}

function addExternal(labels: Map<string, string>, { externalLabels }: LabelOptions): void {
  for (const [name, value] of externalLabels) if (!labels.has(name)) labels.set(name, value)
}
