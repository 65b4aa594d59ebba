import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../../test/support/harness.ts'
import { object } from '../config/schema.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { systemClock } from './clock.ts'
import { type AnyFactory, defineExporter, defineReceiver, ONLY_SHARD, type ShardPlace } from './component.ts'
import type { Neighbours } from './exchange.ts'
import { makePlan } from './plan.ts'
import { type DeclaredComponent, Graph } from './run.ts'

test('a component that stands in one shard alone is told that it is the only one, the others where they are', async () => {
  const told = new Map<string, ShardPlace>()
  const note = ({ id, shards }: { id: string; shards: ShardPlace }) => {
    told.set(id, shards)
    return {}
  }
  const exporter = (context: { id: string; shards: ShardPlace }) => {
    note(context)
    return { export() {} }
  }
  const common = { type: 'x', summary: 'X.', config: object({}), signals: ['traces'] } as const
  const pinned = { ...common, exclusive: () => ['the thing'] }
  const declare = (all: Record<string, AnyFactory>): Map<string, DeclaredComponent> =>
    new Map(Object.entries(all).map(([id, factory]) => [id, { type: 'x', factory, config: {} }]))
  const config = {
    receivers: declare({
      open: defineReceiver({ ...common, create: (_, context) => note(context) }),
      alone: defineReceiver({ ...pinned, create: (_, context) => note(context) }),
    }),
    processors: new Map(),
    exporters: declare({
      out: defineExporter({ ...common, create: (_, context) => exporter(context) }),
      file: defineExporter({ ...pinned, create: (_, context) => exporter(context) }),
    }),
    connectors: new Map(),
    extensions: new Map(),
  }
  const pipelines = [
    { name: 'traces', signal: 'traces', receivers: ['open', 'alone'], processors: [], exporters: ['out', 'file'] },
  ] as const
  const { plan } = makePlan({ ...config, service: { extensions: [], pipelines } }, 2)
  const place: ShardPlace = { index: 1, count: 2, sharePorts: true, alone: false }
  const neighbours: Neighbours = { hand() {}, relief: () => undefined, meet: () => Promise.resolve() }
  await Graph.create(plan, config, {
    log: memoryLogger(),
    meterFor: (kind, id) => new MeterRegistry('none').component(kind, id),
    clock: systemClock,
    random: () => 0.5,
    build: { command: 'x', description: 'x', version: '0' },
    onStatus: () => {},
    shards: place,
    neighbours,
  })
  assert.deepEqual(Object.fromEntries(told), { out: place, file: ONLY_SHARD, open: place, alone: ONLY_SHARD })
})
