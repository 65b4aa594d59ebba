// A whole configuration, decoded: components by id, the service, and every problem and warning there is
// (Collector reference 1.6).

import type { ComponentKind } from '../graph/component.ts'
import {
  decodeSection,
  type KnownComponent,
  type LoadedComponent,
  type Notes,
  SECTIONS,
  type Section,
} from './components.ts'
import { type NamedBy, referenceProblems } from './extension-references.ts'
import type { Tree } from './load.ts'
import { nearest } from './nearest.ts'
import type { Entry, MapNode, Node, Place } from './node.ts'
import { type Problem, sortProblems } from './problem.ts'
import type { Schema } from './schema.ts'
import { type LoadedPipeline, readExtensions, readPipelines, type ServiceValues, serviceValues } from './service.ts'
import { At } from './types.ts'

/** Something that a component's schema cannot see, found by its owner; `path` is below `service.telemetry`. */
export interface TelemetryWarning {
  readonly path: string
  readonly what: string
  readonly fix: string
}

export interface DocumentOptions<T> {
  readonly registry: readonly KnownComponent[]
  /** The schema of service.telemetry. */
  readonly telemetry: Schema<T>
  readonly telemetryWarnings?: (config: T) => readonly TelemetryWarning[]
}

export interface LoadedConfig<T = unknown> {
  readonly receivers: ReadonlyMap<string, LoadedComponent>
  readonly processors: ReadonlyMap<string, LoadedComponent>
  readonly exporters: ReadonlyMap<string, LoadedComponent>
  readonly connectors: ReadonlyMap<string, LoadedComponent>
  readonly extensions: ReadonlyMap<string, LoadedComponent>
  readonly service: ServiceValues & {
    readonly extensions: readonly string[]
    readonly pipelines: readonly LoadedPipeline[]
    readonly telemetry: T
  }
  /** Feature gates that are on. */
  readonly gates: ReadonlySet<string>
  /** In the order of the files. With a problem the configuration must not run. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** The tree that all this was decoded from; see findPlace. */
  readonly root: MapNode
}

const KINDS = Object.keys(SECTIONS) as ComponentKind[]
const SECTION_NAMES = Object.values(SECTIONS)
const TOP_KEYS: readonly string[] = [...SECTION_NAMES, 'service']
const VALUE_KEYS: readonly string[] = serviceValues.fields.map(({ field }) => field.key)
const SERVICE_KEYS = ['extensions', 'pipelines', 'telemetry', ...VALUE_KEYS]

export async function decodeDocument<T>(tree: Tree, options: DocumentOptions<T>): Promise<LoadedConfig<T>> {
  const notes: Notes = { problems: [...tree.problems], warnings: [...tree.warnings] }
  // A tree with holes in it would only repeat its problems as others.
  const root: MapNode = notes.problems.length === 0 ? tree.root : { ...tree.root, entries: new Map() }
  const isWhole = notes.problems.length === 0
  const top = new At('', root.place, notes.problems)
  unknownKeys(root, TOP_KEYS, top)

  const sections = {} as Record<(typeof SECTION_NAMES)[number], Section>
  for (const kind of KINDS) {
    sections[SECTIONS[kind]] = await decodeSection(kind, root.entries.get(SECTIONS[kind]), options.registry, notes)
  }
  const service = serviceMap(root.entries.get('service'), top)
  const extensions = await readExtensions(
    service?.entries.get('extensions'),
    sections.extensions,
    options.registry,
    notes,
  )
  const pipelinesEntry = service?.entries.get('pipelines')
  const pipelines =
    pipelinesEntry?.value.kind === 'map' ? readPipelines(pipelinesEntry.value, sections, tree.gates, notes) : []
  const values = serviceValues.decode(
    service && only(service, VALUE_KEYS),
    top.under('service', service?.place ?? root.place),
  )
  notes.problems.push(
    ...referenceProblems(namedExtensions(sections, extensions, pipelines), {
      ...sections.extensions,
      running: extensions,
    }),
  )
  const telemetryEntry = service?.entries.get('telemetry')
  const before = notes.problems.length
  const telemetry = options.telemetry.decode(
    telemetryEntry?.value,
    new At('service.telemetry', telemetryEntry?.key ?? root.place, notes.problems),
  )
  if (notes.problems.length === before) {
    for (const { path, what, fix } of options.telemetryWarnings?.(telemetry) ?? []) {
      const place = findPlace(root, ['service', 'telemetry', ...path.split('.')])
      notes.warnings.push({ code: 'CONFIG_REMOVED', path: `service.telemetry.${path}`, what, fix, place })
    }
  }
  if (isWhole) {
    if (pipelinesEntry !== undefined && pipelinesEntry.value.kind !== 'map' && !isNull(pipelinesEntry.value)) {
      const at = new At('service.pipelines', pipelinesEntry.key, notes.problems)
      at.problem(
        'CONFIG_WRONG_TYPE',
        'pipelines is not a map',
        'write each pipeline as a key below it',
        pipelinesEntry.value.place,
      )
    } else if (!tree.gates.has('service.AllowNoPipelines')) {
      checkEmpty(root, sections, pipelinesEntry, top)
    }
    checkAmbiguous(sections, notes.problems)
  }
  return {
    receivers: sections.receivers.components,
    processors: sections.processors.components,
    exporters: sections.exporters.components,
    connectors: sections.connectors.components,
    extensions: sections.extensions.components,
    service: { ...values, extensions, pipelines, telemetry },
    gates: tree.gates,
    problems: sortProblems(notes.problems, tree.sources),
    warnings: sortProblems(notes.warnings, tree.sources),
    root,
  }
}

const only = (map: MapNode, keys: readonly string[]): MapNode => ({
  ...map,
  entries: new Map([...map.entries].filter(([key]) => keys.includes(key))),
})

/** Of what runs: a component that no pipeline uses may name what is not there, as in the Collector. */
function namedExtensions(
  sections: Record<(typeof SECTION_NAMES)[number], Section>,
  extensions: readonly string[],
  pipelines: readonly LoadedPipeline[],
): NamedBy[] {
  const used = new Set(pipelines.flatMap((p) => [...p.receivers, ...p.processors, ...p.exporters]))
  return SECTION_NAMES.flatMap((section) =>
    [...sections[section].components]
      .filter(([id]) => (section === 'extensions' ? extensions.includes(id) : used.has(id)))
      .map(([id, { references }]) => ({ section, id, references })),
  )
}

const isNull = (node: Node): boolean => node.kind === 'scalar' && node.value === null

function unknownKeys(map: MapNode, known: readonly string[], at: At): void {
  for (const [key, entry] of map.entries) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const fix = `${near === undefined ? 'remove it' : `write ${near}`}; the keys are ${known.join(', ')}`
    at.under(key, entry.key).problem('CONFIG_UNKNOWN_KEY', `there is no key ${key} here`, fix)
  }
}

function serviceMap(entry: Entry | undefined, top: At): MapNode | undefined {
  if (entry === undefined || isNull(entry.value)) return undefined
  const at = top.under('service', entry.key)
  if (entry.value.kind !== 'map') {
    at.problem(
      'CONFIG_WRONG_TYPE',
      'service is not a map',
      `write ${SERVICE_KEYS.join(', ')} below it`,
      entry.value.place,
    )
    return undefined
  }
  unknownKeys(entry.value, SERVICE_KEYS, at)
  return entry.value
}

function checkEmpty(
  root: MapNode,
  sections: Record<(typeof SECTION_NAMES)[number], Section>,
  pipelines: Entry | undefined,
  top: At,
): void {
  const isFilled = (name: string): boolean => {
    const value = root.entries.get(name)?.value
    return value !== undefined && !isNull(value) && (value.kind !== 'map' || value.entries.size > 0)
  }
  if (!SECTION_NAMES.some(isFilled) && !isFilled('service')) {
    top.problem(
      'CONFIG_EMPTY',
      'the configuration is empty',
      'declare receivers and exporters, and join them in service.pipelines',
    )
    return
  }
  for (const name of ['receivers', 'exporters'] as const) {
    if (isFilled(name) || sections[name].declared.size > 0) continue
    const at = top.under(name, root.entries.get(name)?.key ?? top.place)
    at.problem('CONFIG_EMPTY', `there is no ${name.slice(0, -1)}`, `declare at least one below ${name}:`)
  }
  const value = pipelines?.value
  if (value === undefined || value.kind !== 'map' || value.entries.size === 0) {
    const at = top.under('service.pipelines', pipelines?.key ?? root.entries.get('service')?.key ?? top.place)
    at.problem(
      'CONFIG_EMPTY',
      'service must have at least one pipeline',
      'write traces, metrics or logs below service.pipelines',
    )
  }
}

function checkAmbiguous(sections: Record<(typeof SECTION_NAMES)[number], Section>, problems: Problem[]): void {
  for (const [id, place] of sections.connectors.declared) {
    for (const name of ['receivers', 'exporters'] as const) {
      if (!sections[name].declared.has(id)) continue
      const at = new At(`connectors.${id}`, place, problems)
      at.problem(
        'CONFIG_AMBIGUOUS_ID',
        `${id} is also the id of one of the ${name}`,
        `give the connector a name, for example ${id}/joint`,
      )
    }
  }
}

/** Where the last of `keys` that stands in the tree was written. Ids may contain dots: neighbours are tried as one key. */
export function findPlace(root: MapNode, keys: readonly string[]): Place {
  let node: Node = root
  let place = root.place
  for (let at = 0; at < keys.length; ) {
    if (node.kind === 'list') {
      const item: Node | undefined = node.items[Number.parseInt(keys[at]!, 10)]
      if (item === undefined) break
      place = item.place
      node = item
      at++
      continue
    }
    if (node.kind !== 'map') break
    let entry: Entry | undefined
    let end = keys.length
    for (; end > at && entry === undefined; end--) entry = node.entries.get(keys.slice(at, end).join('.'))
    if (entry === undefined) break
    place = entry.key
    node = entry.value
    at = end + 1
  }
  return place
}
