// The section service: which extensions run, and which components each pipeline joins.

import { findComponent, type KnownComponent, type LoadedComponent, type Notes, type Section } from './components.ts'
import { parseId } from './ids.ts'
import { nearest } from './nearest.ts'
import type { Entry, MapNode, Place } from './node.ts'
import { REMOVED_TYPES } from './removed.ts'
import { choice, custom, type Infer, object } from './schema.ts'
import { type Shards, shardsType } from './shards.ts'
import { At, textOf } from './types.ts'

/** The keys of service that are values; extensions, pipelines and telemetry have readers of their own. */
export const serviceValues = object({
  delivery: choice('delivery', {
    default: 'auto',
    of: {
      auto: 'As `delivered` in pipelines where every exporter keeps its queue on disk (or has nothing to lose, as `debug`), as `accepted` in the others.',
      accepted:
        'When a buffer of the pipeline has it, as from the Collector. What is only in memory is lost with the process.',
      delivered:
        'When every exporter of the pipeline has it on disk or its destination has taken it; the error, when one refused it for good.',
    },
    doc: 'When a client that sends to us gets its answer.',
  }),
  shards: custom<Shards, { default: number; doc: string }>('shards', shardsType, {
    default: 1,
    doc: 'How many threads run the pipelines, each with all of them; `auto`: as many as the router may use processors.',
  }),
})
export type ServiceValues = Infer<typeof serviceValues>

/** What a pipeline may carry. */
const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const
type Signal = (typeof SIGNALS)[number]

export interface LoadedPipeline {
  /** As written, for example `traces/2`. */
  readonly name: string
  readonly signal: Signal
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

export interface SectionsByKind {
  readonly receivers: Section
  readonly processors: Section
  readonly exporters: Section
  readonly connectors: Section
  readonly extensions: Section
}

interface Reference {
  readonly id: string
  readonly at: At
}

/** Ids that a list names; one string is cut at its commas. Wrong ones are reported and left out. */
function readIds(entry: Entry | undefined, at: At): Reference[] {
  if (entry === undefined) return []
  const { value } = entry
  const here = at
  let items: { text: string | undefined; place: Place }[]
  if (value.kind === 'list') items = value.items.map((item) => ({ text: textOf(item), place: item.place }))
  else if (value.kind === 'scalar' && value.value === null) items = []
  else {
    const text = textOf(value)
    if (text === undefined) {
      here.problem('CONFIG_WRONG_TYPE', 'this is not a list', 'write a list of ids, for example [otlp]', value.place)
      return []
    }
    items = text === '' ? [] : text.split(',').map((part) => ({ text: part, place: value.place }))
  }
  const references: Reference[] = []
  for (const [index, { text, place }] of items.entries()) {
    const item = here.item(index, place)
    if (text === undefined) {
      item.problem('CONFIG_WRONG_TYPE', 'this is not an id', 'write type or type/name')
      continue
    }
    const id = parseId(text)
    if ('wrong' in id) item.problem('CONFIG_BAD_ID', id.wrong, id.fix)
    else references.push({ id: id.text, at: item })
  }
  return references
}

function undeclared(kind: string, { id, at }: Reference, declared: Iterable<string>, section: string): void {
  const ids = [...declared]
  const near = nearest(id, ids)
  const fix =
    near === undefined
      ? `declare ${id} below ${section}, or remove it here`
      : `write ${near}, or declare ${id} below ${section}`
  at.problem('CONFIG_UNDECLARED', `the ${kind} ${id} is not declared`, fix)
}

/** Extensions to run. One that is not declared but exists is taken with its defaults and added to the section. */
export async function readExtensions(
  entry: Entry | undefined,
  section: Section,
  known: readonly KnownComponent[],
  notes: Notes,
): Promise<string[]> {
  if (entry === undefined) return []
  const at = new At('service.extensions', entry.key, notes.problems)
  const ids: string[] = []
  for (const reference of readIds(entry, at)) {
    const { id } = reference
    if (ids.includes(id) || section.omitted.has(id)) continue
    if (section.declared.has(id)) {
      ids.push(id)
      continue
    }
    const type = id.split('/')[0]!
    const removed = REMOVED_TYPES.find((one) => one.kind === 'extension' && one.type === type)
    if (removed !== undefined) {
      const { path, place } = reference.at
      notes.warnings.push({
        code: 'CONFIG_REMOVED',
        path,
        what: `the Collector has removed the extension ${type}`,
        fix: removed.fix,
        place,
      })
      continue
    }
    const component = findComponent(
      known.filter((one) => one.kind === 'extension'),
      type,
    )
    if (component === undefined) {
      undeclared('extension', reference, section.declared.keys(), 'extensions')
      continue
    }
    section.components.set(id, await takeDefaults(id, component, reference.at, notes))
    ids.push(id)
  }
  return ids
}

async function takeDefaults(id: string, component: KnownComponent, at: At, notes: Notes): Promise<LoadedComponent> {
  const what = `the extension ${id} is not declared; it runs with its defaults`
  const fix = `write "${id}:" below extensions:`
  notes.warnings.push({ code: 'CONFIG_DEFAULTED', path: at.path, what, fix, place: at.place })
  const factory = await component.load()
  const config: unknown = factory.config.decode(undefined, new At(`extensions.${id}`, at.place, notes.problems))
  return { type: component.type, factory, config, declaredAt: at.place, references: [] }
}

const PIPELINE_KEYS = ['receivers', 'processors', 'exporters'] as const

export function readPipelines(
  map: MapNode,
  sections: SectionsByKind,
  gates: ReadonlySet<string>,
  notes: Notes,
): LoadedPipeline[] {
  const pipelines = new Map<string, LoadedPipeline>()
  for (const [text, entry] of map.entries) {
    const at = new At(`service.pipelines.${text}`, entry.key, notes.problems)
    const id = parseId(text)
    if ('wrong' in id) {
      at.problem('CONFIG_BAD_ID', id.wrong, id.fix)
      continue
    }
    const signal = SIGNALS.find((one) => one === id.type)
    if (signal === undefined) {
      const near = nearest(id.type, SIGNALS)
      const list = `a pipeline is ${SIGNALS.join(', ')}, with /name where there are several`
      at.problem('CONFIG_BAD_ID', `there is no signal ${id.type}`, near === undefined ? list : `write ${near}; ${list}`)
    } else if (signal === 'profiles' && !gates.has('service.profilesSupport')) {
      const what = 'the Collector carries profiles only with a feature gate'
      const fix = 'for the Collector add --feature-gates service.profilesSupport'
      notes.warnings.push({ code: 'CONFIG_GATED', path: at.path, what, fix, place: at.place })
    }
    if (pipelines.has(id.text)) {
      at.problem('CONFIG_DUPLICATE', `the pipeline ${id.text} stands here twice`, 'give one of them a name of its own')
      continue
    }
    const lists = readPipeline(entry, at, sections)
    if (signal !== undefined) pipelines.set(id.text, { name: id.text, signal, ...lists })
  }
  return [...pipelines.values()]
}

function readPipeline(
  entry: Entry,
  at: At,
  sections: SectionsByKind,
): Pick<LoadedPipeline, (typeof PIPELINE_KEYS)[number]> {
  const { value } = entry
  const lists = { receivers: [] as string[], processors: [] as string[], exporters: [] as string[] }
  const map = value.kind === 'map' ? value : undefined
  if (map === undefined && !(value.kind === 'scalar' && value.value === null)) {
    at.problem(
      'CONFIG_WRONG_TYPE',
      'a pipeline is a map',
      'write receivers, processors and exporters below it',
      value.place,
    )
    return lists
  }
  for (const [key, inner] of map?.entries ?? []) {
    if ((PIPELINE_KEYS as readonly string[]).includes(key)) continue
    const near = nearest(key, PIPELINE_KEYS)
    const fix = `${near === undefined ? 'remove it' : `write ${near}`}; a pipeline has ${PIPELINE_KEYS.join(', ')}`
    at.under(key, inner.key).problem('CONFIG_UNKNOWN_KEY', `there is no key ${key} here`, fix)
  }
  for (const key of PIPELINE_KEYS) {
    const inner = map?.entries.get(key)
    const here = at.under(key, inner?.key ?? at.place)
    const before = at.problems.length
    const references = readIds(inner, here)
    if (references.length === 0 && key !== 'processors' && at.problems.length === before) {
      here.problem('CONFIG_EMPTY', `a pipeline must have at least one ${key.slice(0, -1)}`, `write ${key}: [ID]`)
    }
    for (const reference of references) readReference(key, reference, lists[key], sections)
  }
  return lists
}

function readReference(
  key: (typeof PIPELINE_KEYS)[number],
  reference: Reference,
  list: string[],
  sections: SectionsByKind,
): void {
  const { id, at } = reference
  const section = sections[key]
  const ends = key === 'processors' ? undefined : sections.connectors.declared
  if (!section.declared.has(id) && ends?.has(id) !== true) {
    undeclared(key.slice(0, -1), reference, [...section.declared.keys(), ...(ends?.keys() ?? [])], key)
    return
  }
  if (section.omitted.has(id)) return
  if (!list.includes(id)) list.push(id)
  else if (key === 'processors') {
    at.problem(
      'CONFIG_DUPLICATE',
      `the processor ${id} stands in this pipeline twice`,
      `remove one, or declare a second as ${id.split('/')[0]}/2`,
    )
  }
}
