import assert from 'node:assert/strict'
import { test } from 'node:test'
import { object } from '../config/schema.ts'
import { Delivery } from '../delivery/delivery.ts'
import { DeliveryError } from '../delivery/error.ts'
import { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import { systemClock } from './clock.ts'
import {
  type AnyFactory,
  defineConnector,
  defineExporter,
  defineProcessor,
  defineReceiver,
  type Output,
} from './component.ts'
import { makePlan } from './plan.ts'
import { type DeclaredComponent, Graph, type GraphServices } from './run.ts'

const NO_METER = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  observe() {},
  histogram: () => ({ record() {} }),
}
const NO_LOG = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false, with: () => NO_LOG }
const SIGNALS = ['traces', 'metrics', 'logs'] as const
const REFUSAL = new DeliveryError('TEST_REFUSED', 'no', { retry: 'backoff' })

/** Components that write down what happens to them; `outs` are the receivers' outputs, `held` what exporters took. */
function world() {
  const events: string[] = []
  const outs = new Map<string, Partial<Record<Signal, Output>>>()
  const held = new Map<string, Batch[]>()
  const failing = new Set<string>()
  const life = (id: string) => ({
    start() {
      if (failing.has(id)) throw new Error(`${id} cannot`)
      events.push(`start ${id}`)
    },
    stop() {
      events.push(`stop ${id}`)
    },
  })
  const common = { type: 'x', summary: 'X.', config: object({}) }
  const receiver = defineReceiver({
    ...common,
    signals: SIGNALS,
    create(_, ctx) {
      outs.set(ctx.id, ctx.outputs)
      return life(ctx.id)
    },
  })
  const processor = defineProcessor({
    ...common,
    signals: SIGNALS,
    create: (_, ctx) => ({ ...life(ctx.id), process: (batch, out) => out.send(batch) }),
  })
  const exporter = defineExporter({
    ...common,
    signals: SIGNALS,
    create(_, ctx) {
      held.set(ctx.id, [])
      return {
        ...life(ctx.id),
        export: (batch) => {
          held.get(ctx.id)!.push(batch)
        },
      }
    },
  })
  const forward = defineConnector({
    ...common,
    pairs: SIGNALS.map((s) => ({ from: s, to: s })),
    create: (_, ctx) => ({ ...life(ctx.id), process: (batch, out) => out.send(batch) }),
  })
  const declare = (factory: AnyFactory, ids: readonly string[]): Map<string, DeclaredComponent> =>
    new Map(ids.map((id) => [id, { type: 'x', factory, config: {} }]))

  async function graph(
    pipelines: Record<string, { from: string[]; via?: string[]; to: string[] }>,
    connectors: string[] = [],
  ) {
    const list = Object.entries(pipelines).map(([name, { from, via = [], to }]) => ({
      name,
      signal: name.split('/')[0] as Signal,
      receivers: from,
      processors: via,
      exporters: to,
    }))
    const ids = (pick: (p: (typeof list)[number]) => readonly string[]): string[] =>
      [...new Set(list.flatMap(pick))].filter((id) => !connectors.includes(id))
    const config = {
      receivers: declare(
        receiver,
        ids((p) => p.receivers),
      ),
      processors: declare(
        processor,
        ids((p) => p.processors),
      ),
      exporters: declare(
        exporter,
        ids((p) => p.exporters),
      ),
      connectors: declare(forward, connectors),
      extensions: new Map<string, DeclaredComponent>(),
    }
    const { plan, problems } = makePlan({ ...config, service: { extensions: [], pipelines: list } })
    assert.deepEqual(problems, [])
    const services: GraphServices = {
      log: NO_LOG,
      meterFor: () => NO_METER,
      clock: systemClock,
      random: () => 0.5,
      build: { command: 'x', description: 'x', version: '0' },
      onStatus: () => {},
    }
    return Graph.create(plan, config, services)
  }
  const send = (id: string, signal: Signal = 'traces') => {
    const heard: string[] = []
    const delivery = new Delivery({
      onAccepted: () => heard.push('accepted'),
      onDelivered: () => heard.push('delivered'),
      onRefused: (_, accepted) => heard.push(accepted ? 'lost' : 'refused'),
    })
    const bytes = new Uint8Array(8)
    outs.get(id)![signal]!.send(new Batch(signal, [bytes], 3, delivery))
    return { heard, bytes }
  }
  return { events, outs, held, failing, graph, send }
}

test('exporters start first and receivers last; stopping goes the other way', async () => {
  const w = world()
  const graph = await w.graph({ traces: { from: ['otlp'], via: ['limit', 'batch'], to: ['out'] } })
  await graph.start()
  await graph.stop(AbortSignal.timeout(100))
  assert.deepEqual(w.events, [
    ...['start out', 'start batch', 'start limit', 'start otlp'],
    ...['stop otlp', 'stop limit', 'stop batch', 'stop out'],
  ])
})

test('a component that cannot start stops what had started, and its reason is told with its id', async () => {
  const w = world()
  w.failing.add('batch')
  const graph = await w.graph({ traces: { from: ['otlp'], via: ['batch'], to: ['out'] } })
  await assert.rejects(graph.start(), /cannot start processor batch: batch cannot/)
  assert.deepEqual(w.events, ['start out', 'stop batch', 'stop out'])
})

test('fan-out hands every branch the same bytes, and one refusal refuses the whole', async () => {
  const w = world()
  const graph = await w.graph({ traces: { from: ['otlp'], to: ['a', 'b'] }, 'traces/2': { from: ['otlp'], to: ['c'] } })
  await graph.start()
  const { heard, bytes } = w.send('otlp')
  const branches = ['a', 'b', 'c'].map((id) => w.held.get(id)![0]!)
  for (const branch of branches) assert.equal(branch.parts[0], bytes)
  branches[0]!.delivery.deliver()
  branches[1]!.delivery.refuse(REFUSAL)
  assert.deepEqual(heard, [])
  branches[2]!.delivery.accept()
  assert.deepEqual(heard, ['refused'])
  branches[2]!.delivery.deliver()
  const [first, second] = ['traces', 'traces/2'].map((name) => graph.totals().find((p) => p.name === name)!)
  assert.deepEqual([first!.in, first!.refused, first!.delivered, first!.inFlight], [3, 3, 0, 0])
  assert.deepEqual([second!.in, second!.refused, second!.delivered, second!.inFlight], [3, 0, 3, 0])
  await graph.stop(AbortSignal.timeout(100))
})

test('what a connector takes goes into every pipeline behind it', async () => {
  const w = world()
  const graph = await w.graph(
    {
      logs: { from: ['otlp'], to: ['fwd'] },
      'logs/a': { from: ['fwd'], to: ['a'] },
      'logs/b': { from: ['fwd'], to: ['b'] },
    },
    ['fwd'],
  )
  await graph.start()
  const { heard } = w.send('otlp', 'logs')
  for (const id of ['a', 'b']) w.held.get(id)![0]!.delivery.deliver()
  assert.deepEqual(heard, ['accepted', 'delivered'])
  await graph.stop(AbortSignal.timeout(100))
})

test('stopping waits for what is under way, and for no longer than its deadline', async () => {
  const w = world()
  const graph = await w.graph({ traces: { from: ['otlp'], to: ['out'] } })
  await graph.start()
  const { heard } = w.send('otlp')
  let stopped = false
  const stopping = graph.stop(AbortSignal.timeout(5_000)).then(() => {
    stopped = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(stopped, false)
  w.held.get('out')![0]!.delivery.deliver()
  await stopping
  assert.deepEqual(heard, ['accepted', 'delivered'])

  const late = world()
  const other = await late.graph({ traces: { from: ['otlp'], to: ['out'] } })
  await other.start()
  late.send('otlp')
  await other.stop(AbortSignal.timeout(20))
  assert.equal(other.totals()[0]!.inFlight, 3)
})
