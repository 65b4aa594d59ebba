// What the pages show: the build, the shards, the pipelines, the components with their status, the extensions, the
// feature gates.

import { arch, platform } from 'node:process'
import { GATES } from '../../config/gates.ts'
import { formatDuration } from '../../config/units.ts'
import type { PipelineView, Status } from '../../graph/component.ts'
import type { ComponentHealth, ShardHealth, SupervisorContext } from '../../graph/supervised.ts'
import { type Cell, htmlPage, type Table } from './html.ts'
import type { Used } from './usage.ts'

const LINKS = [
  { href: '/debug/servicez', text: 'Service' },
  { href: '/debug/pipelinez', text: 'Pipelines' },
  { href: '/debug/extensionz', text: 'Extensions' },
  { href: '/debug/featurez', text: 'Features' },
]

const PIPELINE = 'zpipelinename'

type Source = Pick<SupervisorContext, 'build' | 'clock' | 'extensions' | 'health' | 'pipelines'>

export function servicePage({ build, clock, extensions, health, pipelines }: Source, used: readonly Used[]): string {
  const { startedAtMs } = health()
  const facts: Cell[][] = [
    ['Command', build.command],
    ['Description', build.description],
    ['Version', build.version],
  ]
  const runtime: Cell[][] = [
    ['Started', new Date(startedAtMs).toISOString()],
    ['Up', formatDuration(Math.max(0, Math.round(clock.now() - startedAtMs)))],
    ['Node', process.version],
    ['System', `${platform} ${arch}`],
  ]
  return htmlPage('Service', LINKS, [
    { title: 'Build', head: ['', ''], rows: facts },
    { title: 'Runtime', head: ['', ''], rows: runtime },
    threadTable(used),
    pipelineTable(pipelines),
    { title: 'Extensions', head: ['Extension'], rows: extensions.map((id) => [id]) },
  ])
}

/** One pipeline with its totals and the status of its components, or all of them. */
export function pipelinePage({ health, pipelines }: Source, query: URLSearchParams): string {
  const { shards } = health()
  const one = pipelines.find(({ name }) => name === query.get(PIPELINE))
  const shown = one === undefined ? pipelines : [one]
  const ids = one === undefined ? undefined : partsOf(one)
  const components = instancesOf(shards).filter(
    ({ kind, id }) => kind !== 'extension' && (ids === undefined || ids.has(`${kind} ${id}`)),
  )
  return htmlPage(one === undefined ? 'Pipelines' : `Pipeline ${one.name}`, LINKS, [
    pipelineTable(shown),
    totalsTable(shown, shards),
    {
      title: 'Components',
      head: ['Kind', 'Component', 'Status', 'Error'],
      rows: components.map((component) => [component.kind, component.id, ...statusCells(component, shards)]),
    },
    ...(shards.length > 1 ? [stateTable(shards)] : []),
  ])
}

/** A connector stands among the receivers or exporters of a pipeline, under its own kind. */
function partsOf({ receivers, processors, exporters }: PipelineView): Set<string> {
  const ends = [...receivers, ...exporters].map((id) => `connector ${id}`)
  return new Set([
    ...receivers.map((id) => `receiver ${id}`),
    ...processors.map((id) => `processor ${id}`),
    ...exporters.map((id) => `exporter ${id}`),
    ...ends,
  ])
}

export function extensionPage({ extensions, health }: Source): string {
  const { shards } = health()
  const instances = instancesOf(shards).filter(({ kind }) => kind === 'extension')
  const rows = extensions.map((id): Cell[] => {
    const own = instances.find((instance) => instance.id === id)
    return [id, ...(own === undefined ? ['on the supervisor', ''] : statusCells(own, shards))]
  })
  return htmlPage('Extensions', LINKS, [{ title: 'Extensions', head: ['Extension', 'Status', 'Error'], rows }])
}

export function featurePage(): string {
  const rows = GATES.map((gate): Cell[] => [
    gate.id,
    gate.stage === 'beta' ? 'on' : 'off',
    gate.stage,
    gate.description,
  ])
  return htmlPage('Features', LINKS, [
    { title: 'Feature gates', head: ['Gate', 'Default', 'Stage', 'Description'], rows },
  ])
}

/** A component as the shards know it, each with its own instance. */
interface Instances {
  readonly kind: ComponentHealth['kind']
  readonly id: string
  readonly shards: { readonly index: number; readonly status: Status; readonly error: string | undefined }[]
}

/** In the order in which the first of the shards has them. */
function instancesOf(shards: readonly ShardHealth[]): Instances[] {
  const found = new Map<string, Instances>()
  for (const { index, components } of shards) {
    for (const { kind, id, status, error } of components) {
      const key = `${kind} ${id}`
      let instances = found.get(key)
      if (instances === undefined) found.set(key, (instances = { kind, id, shards: [] }))
      instances.shards.push({ index, status, error })
    }
  }
  return [...found.values()]
}

/** The status, and which shards have it where not all have the same; then their errors. */
function statusCells({ shards }: Instances, all: readonly ShardHealth[]): [Cell, Cell] {
  const byStatus = [...Map.groupBy(shards, ({ status }) => status)]
  const isCommon = byStatus.length === 1 && shards.length === all.length
  const statuses = byStatus.map(([status, have]) => (isCommon ? status : `${status} on ${shardsOf(have)}`))
  const errors = shards.flatMap(({ index, error }) => {
    if (error === undefined) return []
    return [all.length === 1 ? error : `shard ${index}: ${error}`]
  })
  return [statuses, errors]
}

const shardsOf = (shards: readonly { readonly index: number }[]): string =>
  `${shards.length === 1 ? 'shard' : 'shards'} ${shards.map(({ index }) => index).join(', ')}`

function pipelineTable(pipelines: readonly PipelineView[]): Table {
  const rows = pipelines.map(({ name, signal, receivers, processors, exporters }): Cell[] => [
    { href: `/debug/pipelinez?${PIPELINE}=${encodeURIComponent(name)}`, text: name },
    signal,
    receivers,
    processors,
    exporters,
  ])
  return { title: 'Pipelines', head: ['Pipeline', 'Signal', 'Receivers', 'Processors', 'Exporters'], rows }
}

const TOTALS = ['in', 'delivered', 'refused', 'dropped', 'inFlight'] as const

function totalsTable(pipelines: readonly PipelineView[], shards: readonly ShardHealth[]): Table {
  const rows = pipelines.map(({ name }): Cell[] => {
    const totals = shards.flatMap((shard) => shard.pipelines.filter((one) => one.name === name))
    return [name, ...TOTALS.map((key) => String(totals.reduce((sum, one) => sum + one[key], 0)))]
  })
  return {
    title: 'Items, of all shards',
    head: ['Pipeline', 'In', 'Delivered', 'Refused', 'Dropped', 'In flight'],
    rows,
  }
}

const stateTable = (shards: readonly ShardHealth[]): Table => ({
  title: 'Shards',
  head: ['Shard', 'State'],
  rows: shards.map(({ index, state }) => [String(index), state]),
})

function threadTable(used: readonly Used[]): Table {
  const rows = used.map(({ thread, state, usage, error }): Cell[] => [
    thread === 'supervisor' ? thread : `shard ${thread}`,
    state ?? '',
    usage === undefined ? (error ?? '') : `${(usage.heap.used_heap_size / 2 ** 20).toFixed(1)} MiB`,
    usage === undefined ? '' : `${usage.cpuSeconds.toFixed(1)} s`,
  ])
  return { title: 'Threads', head: ['Thread', 'State', 'Heap in use', 'Processor time'], rows }
}
