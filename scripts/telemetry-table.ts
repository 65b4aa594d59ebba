// The metrics of a component as a table: what its create() declares for each signal, with the README's own example as
// its configuration. Nothing is started.

import { parse } from 'yaml'
import { SECTIONS } from '../src/config/components.ts'
import { ConfigError } from '../src/config/problem.ts'
import { markdownTable } from '../src/config/reference.ts'
import { parseConfig } from '../src/config/testing.ts'
import { systemClock } from '../src/graph/clock.ts'
import { type AnyFactory, type ComponentContext, ONLY_SHARD, type Output } from '../src/graph/component.ts'

import type { Logger } from '../src/self/log.ts'
import type { InstrumentOptions, Meter } from '../src/self/meter.ts'

const NONE = 'No series of its own from the start on.'
const OF_EVERY_PROCESSOR =
  'Every processor has `otelcol_processor_incoming_items` and `otelcol_processor_outgoing_items`.'

/** A Markdown table, or the words that there are none. */
export function telemetryTable(factory: AnyFactory, readme: string): string {
  const rows = new Map<string, string[]>()
  const declare = (type: string, name: string, unit: string, help: string, options: InstrumentOptions = {}): void => {
    if (rows.has(name)) return
    const labels = [factory.kind, ...Object.keys({ ...options.labels, ...options.detailedLabels })].map(
      (label) => `\`${label.replaceAll('.', '_')}\``,
    )
    rows.set(name, [`\`otelcol_${name}\``, type, `\`${unit}\``, options.level ?? 'basic', labels.join(', '), help])
  }
  const meter: Meter = {
    counter: (name, unit, help, options) => {
      declare('counter', name, unit, help, options)
      return { add: () => {} }
    },
    gauge: (name, unit, help, options) => {
      declare('gauge', name, unit, help, options)
      return { set: () => {} }
    },
    observe: (name, unit, help, _read, options) =>
      declare(options?.monotonic === true ? 'counter' : 'gauge', name, unit, help, options),
    histogram: (name, unit, help, _buckets, options) => {
      declare('histogram', name, unit, help, options)
      return { record: () => {} }
    },
  }
  createForEverySignal(factory, exampleOf(factory, readme), meter)
  if (rows.size === 0) return factory.kind === 'processor' ? `${NONE} ${OF_EVERY_PROCESSOR}` : NONE
  return markdownTable(['metric', 'type', 'unit', 'from level', 'labels', 'meaning'], [...rows.values()])
}

/** The body under the component's type in the first YAML block that has it. */
function exampleOf({ kind, type }: AnyFactory, readme: string): unknown {
  for (const [, text] of readme.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    const section = (parse(text!) as Record<string, Record<string, unknown>> | null)?.[SECTIONS[kind]]
    const id = Object.keys(section ?? {}).find((key) => key.split('/')[0] === type)
    if (id !== undefined) return section![id] ?? {}
  }
  return {}
}

function createForEverySignal(factory: AnyFactory, example: unknown, meter: Meter): void {
  const nowhere: Output = { send: () => {} }
  const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false, with: () => log }
  const context: ComponentContext = {
    kind: factory.kind,
    id: factory.type,
    log,
    meter,
    clock: systemClock,
    random: () => 0.5,
    build: { command: 'millrace', description: 'Millrace', version: '0.0.0' },
    report: () => {},
    gates: new Set(),
    shards: ONLY_SHARD,
    extension: () => undefined,
  }
  const config: unknown = parseConfig(factory.config, example)
  switch (factory.kind) {
    case 'receiver':
      factory.create(config, {
        ...context,
        outputs: Object.fromEntries(factory.signals.map((signal) => [signal, nowhere])),
      })
      break
    case 'processor':
      for (const signal of factory.signals) {
        unlessRefused(() => factory.create(config, { ...context, signal, pipeline: signal }))
      }
      break
    case 'exporter':
      factory.create(config, { ...context, signals: factory.signals })
      break
    case 'connector':
      for (const pair of factory.pairs) {
        const pipelines = new Map([[pair.to as string, nowhere]])
        unlessRefused(() => factory.create(config, { ...context, ...pair, pipelines }))
      }
      break
    case 'extension':
      factory.create(config, { ...context, shard: { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] } })
  }
}

/** An example may not fit every signal; its metrics are then those of the signals that it fits. */
function unlessRefused(create: () => void): void {
  try {
    create()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
}
