// What an exporter is given that stands alone in a bench: one shard, real time, and nothing in the log.

import { systemClock } from '../../src/graph/clock.ts'
import { type ExporterContext, ONLY_SHARD } from '../../src/graph/component.ts'
import type { Signal } from '../../src/otlp/signal.ts'
import { MeterRegistry } from '../../src/self/meter-registry.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false, with: () => silent }

export const exporterContext = (signal: Signal): ExporterContext => ({
  kind: 'exporter',
  id: 'bench',
  signals: [signal],
  log: silent,
  meter: new MeterRegistry('normal').component('exporter', 'bench'),
  clock: systemClock,
  random: Math.random,
  build: { command: 'millrace', description: 'Millrace', version: '0' },
  report() {},
  gates: new Set(),
  shards: ONLY_SHARD,
  extension: () => undefined,
})
