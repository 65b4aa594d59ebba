import assert from 'node:assert/strict'
import { test } from 'node:test'
import { object } from '../config/schema.ts'
import { Delivery } from '../delivery/delivery.ts'
import { DeliveryError } from '../delivery/error.ts'
import { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Logger } from '../self/log.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
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

const NO_LOG: Logger = { debug() {}, info() {}, warn() {}, error() {}, enabled: () => false, with: () => NO_LOG }
const SIGNALS = ['traces', 'metrics', 'logs'] as const
const REFUSAL = new DeliveryError('TEST_REFUSED', 'no', { retry: 'backoff' })

/** Components that write down what happens to them; `outs` are the receivers' outputs, `held` what exporters took. */
function world() {
  const events: string[] = []
  const outs = new Map<string, Partial<Record<Signal, Output>>>()
  const held = new Map<string, Batch[]>()
  const failing = new Set<string>()
  /** Components that throw on a batch, after doing what stands here. */
  const breaking = new Map<string, (batch: Batch) => void>()
  const breakOn = (id: string, batch: Batch): void => {
    const first = breaking.get(id)
    if (first === undefined) return
    first(batch)
    throw new Error('a mistake of ours')
  }
  const meters = new MeterRegistry('normal')
  const logged: string[] = []
  const log: Logger = { ...NO_LOG, error: (message) => logged.push(message), with: () => log }
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
    create: (_, ctx) => ({
      ...life(ctx.id),
      process: (batch, out) => {
        breakOn(ctx.id, batch)
        out.send(batch)
      },
    }),
  })
  const exporter = defineExporter({
    ...common,
    signals: SIGNALS,
    create(_, ctx) {
      held.set(ctx.id, [])
      return {
        ...life(ctx.id),
        export: (batch) => {
          breakOn(ctx.id, batch)
          held.get(ctx.id)!.push(batch)
        },
      }
    },
  })
  const forward = defineConnector({
    ...common,
    pairs: SIGNALS.map((s) => ({ from: s, to: s })),
    create: (_, ctx) => ({
      ...life(ctx.id),
      process: (batch, out) => {
        breakOn(ctx.id, batch)
        out.send(batch)
      },
    }),
  })
  const declare = (factory: AnyFactory, ids: readonly string[]): Map<string, DeclaredComponent> =>
    new Map(ids.map((id) => [id, { type: 'x', factory, config: {} }]))

  async function graph(
    pipelines: Record<string, { from: string[]; via?: string[]; to: string[] }>,
    connectors: string[] = [],
    delivery: 'auto' | 'accepted' | 'delivered' = 'auto',
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
    const { plan, problems } = makePlan({ ...config, service: { delivery, extensions: [], pipelines: list } })
    assert.deepEqual(problems, [])
    const services: GraphServices = {
      log,
      meterFor: (kind, id) => meters.component(kind, id),
      clock: systemClock,
      random: () => 0.5,
      build: { command: 'x', description: 'x', version: '0' },
      onStatus: () => {},
    }
    return Graph.create(plan, config, services)
  }
  const send = (id: string, signal: Signal = 'traces') => {
    const heard: string[] = []
    const refusals: DeliveryError[] = []
    const delivery = new Delivery({
      onAccepted: () => heard.push('accepted'),
      onDelivered: () => heard.push('delivered'),
      onRefused: (error, accepted) => {
        refusals.push(error)
        heard.push(accepted ? 'lost' : 'refused')
      },
    })
    const bytes = new Uint8Array(8)
    outs.get(id)![signal]!.send(new Batch(signal, [bytes], 3, delivery))
    return { heard, refusals, bytes }
  }
  const counted = (name: string): number =>
    meters.snapshot().metrics.flatMap((m) => (m.name === name ? m.series.map((series) => series.value) : []))[0] ?? 0
  return { events, outs, held, failing, breaking, counted, logged, graph, send }
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

test('a pipeline that answers when delivered tells nobody of buffers, and counts what they lose as refused', async () => {
  const w = world()
  const graph = await w.graph({ traces: { from: ['otlp'], to: ['a', 'b'] } }, [], 'delivered')
  await graph.start()
  const lost = w.send('otlp')
  const [a, b] = ['a', 'b'].map((id) => w.held.get(id)![0]!.delivery)
  a!.accept()
  b!.accept()
  assert.deepEqual(lost.heard, [])
  a!.deliver()
  b!.refuse(REFUSAL)
  assert.deepEqual(lost.heard, ['refused'])
  const taken = w.send('otlp')
  for (const id of ['a', 'b']) w.held.get(id)![1]!.delivery.deliver()
  assert.deepEqual(taken.heard, ['accepted', 'delivered'])
  const { delivered, refused, dropped } = graph.totals()[0]!
  assert.deepEqual([delivered, refused, dropped], [3, 3, 0])
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

const WAYS = {
  traces: { from: ['otlp'], via: ['edit'], to: ['fwd', 'side'] },
  'traces/2': { from: ['fwd'], to: ['out'] },
}
const BROKEN = [
  { kind: 'processor', id: 'edit', others: [] },
  { kind: 'connector', id: 'fwd', others: ['side'] },
  { kind: 'exporter', id: 'out', others: ['side'] },
] as const

for (const { kind, id, others } of BROKEN) {
  test(`a ${kind} that throws loses one batch, which is refused for good, counted and logged; the next one passes`, async () => {
    const w = world()
    w.breaking.set(id, () => {})
    const graph = await w.graph(WAYS, ['fwd'])
    await graph.start()
    const { heard, refusals } = w.send('otlp')
    // The other branches have the batch all the same.
    for (const other of others) w.held.get(other)!.pop()!.delivery.deliver()
    assert.deepEqual(heard, ['refused'])
    assert.deepEqual([refusals[0]!.code, refusals[0]!.retry], ['COMPONENT_FAILED', 'never'])
    assert.equal(w.counted(`${kind}_failed_items`), 3)
    assert.deepEqual(w.logged, [`${kind} ${id} failed: a mistake of ours`])

    w.breaking.clear()
    const next = w.send('otlp')
    for (const end of ['out', 'side']) w.held.get(end)![0]!.delivery.deliver()
    assert.deepEqual(next.heard, ['accepted', 'delivered'])
    assert.ok(graph.totals().every((totals) => totals.inFlight === 0))
    await graph.stop(AbortSignal.timeout(100))
  })
}

test('a component that throws after it settled the batch, or settles it after it threw, does no harm', async () => {
  const w = world()
  const graph = await w.graph({ traces: { from: ['otlp'], via: ['edit'], to: ['out'] } })
  await graph.start()
  w.breaking.set('edit', (batch) => batch.delivery.deliver())
  assert.deepEqual(w.send('otlp').heard, ['accepted', 'delivered'])

  const kept: Batch[] = []
  w.breaking.set('edit', (batch) => {
    batch.delivery.accept()
    kept.push(batch)
  })
  const { heard } = w.send('otlp')
  assert.deepEqual(heard, ['accepted', 'lost'])
  kept[0]!.delivery.accept()
  kept[0]!.delivery.deliver()
  kept[0]!.delivery.refuse(REFUSAL)
  assert.deepEqual(heard, ['accepted', 'lost'])
  assert.equal(w.counted('processor_failed_items'), 6)
  await graph.stop(AbortSignal.timeout(100))
})
