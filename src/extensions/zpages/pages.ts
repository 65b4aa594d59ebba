// What the pages show: the build, the pipelines, the components with their status, the extensions, the feature gates.

import { arch, platform } from 'node:process'
import { GATES } from '../../config/gates.ts'
import { formatDuration } from '../../config/units.ts'
import type { ExtensionContext, PipelineView } from '../../graph/component.ts'
import { type Cell, htmlPage, type Table } from './html.ts'

const LINKS = [
  { href: '/debug/servicez', text: 'Service' },
  { href: '/debug/pipelinez', text: 'Pipelines' },
  { href: '/debug/extensionz', text: 'Extensions' },
  { href: '/debug/featurez', text: 'Features' },
]

const PIPELINE = 'zpipelinename'

export function servicePage({ build, clock, shard }: ExtensionContext): string {
  const facts: Cell[][] = [
    ['Command', build.command],
    ['Description', build.description],
    ['Version', build.version],
  ]
  const runtime: Cell[][] = [
    ['Started', new Date(shard.startedAtMs).toISOString()],
    ['Up', formatDuration(Math.max(0, Math.round(clock.now() - shard.startedAtMs)))],
    ['Node', process.version],
    ['System', `${platform} ${arch}`],
  ]
  return htmlPage('Service', LINKS, [
    { title: 'Build', head: ['', ''], rows: facts },
    { title: 'Runtime', head: ['', ''], rows: runtime },
    pipelineTable(shard.pipelines),
    extensionTable(shard.extensions),
  ])
}

/** One pipeline with the status of its components, or all of them. */
export function pipelinePage({ shard }: ExtensionContext, query: URLSearchParams): string {
  const name = query.get(PIPELINE)
  const pipeline = shard.pipelines.find((one) => one.name === name)
  const status = shard.status().filter((one) => one.kind !== 'extension')
  const rows = status.map((one): Cell[] => [one.kind, one.id, one.status, one.error ?? ''])
  const components = (title: string, ids?: ReadonlySet<string>): Table => ({
    title,
    head: ['Kind', 'Component', 'Status', 'Error'],
    rows: ids === undefined ? rows : rows.filter(([kind, id]) => ids.has(`${kind} ${id}`)),
  })
  if (pipeline === undefined)
    return htmlPage('Pipelines', LINKS, [pipelineTable(shard.pipelines), components('Components')])
  return htmlPage(`Pipeline ${pipeline.name}`, LINKS, [
    pipelineTable([pipeline]),
    components('Components', partsOf(pipeline)),
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

export function extensionPage({ shard }: ExtensionContext): string {
  const status = shard.status().filter((one) => one.kind === 'extension')
  const rows = shard.extensions.map((id): Cell[] => {
    const own = status.find((one) => one.id === id)
    return [id, own?.status ?? 'on the supervisor', own?.error ?? '']
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

const extensionTable = (extensions: readonly string[]): Table => ({
  title: 'Extensions',
  head: ['Extension'],
  rows: extensions.map((id) => [id]),
})
