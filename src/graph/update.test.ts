import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, type Fate, memoryLogger, witness } from '../../test/support/harness.ts'
import { type Infer, object, secret, string } from '../config/schema.ts'
import { parseConfig } from '../config/testing.ts'
import { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { systemClock } from './clock.ts'
import {
  type AnyFactory,
  type ComponentContext,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type Output,
} from './component.ts'
import { makePlan } from './plan.ts'
import { BrokenUpdate, type Changes, type DeclaredComponent, Graph, type GraphServices } from './run.ts'

const SIGNALS = ['traces', 'logs'] as const
const config = object({
  value: string('value', { default: 'usual', doc: 'Any.' }),
  token: secret('token', { optional: true, doc: 'Any.' }),
  storage: string('storage', { default: '', doc: 'An extension.' }),
  path: string('path', { default: '', doc: 'Held alone.' }),
  seat: string('seat', { default: '', doc: 'Held alone in its shard.' }),
  port: string('port', { default: '', doc: 'Listened on.' }),
})

type Own = Readonly<Record<string, string>>
/** Ids with their configuration, and pipelines as `name: receivers > processors > exporters`. */
interface File {
  readonly pipelines: Readonly<Record<string, string>>
  readonly own?: Readonly<Record<string, Own>>
  readonly extensions?: readonly string[]
  readonly connectors?: readonly string[]
}

const UNREACHABLE = new DeliveryError('TEST_UNREACHABLE', 'no answer', { retry: 'backoff' })
const WRONG = new DeliveryError('TEST_WRONG', 'bad data', { retry: 'never' })
const REQUEST = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x' }] }] }] }

/** `hold` is a processor that keeps batches until it is stopped; `limit` is shared; `fork` a connector. */
function world() {
  const events: string[] = []
  const ports = new Set<string>()
  const outputs = new Map<string, Partial<Record<Signal, Output>>>()
  const taken = new Map<string, Batch[]>()
  const made = new Map<string, number>()
  /** By id and number of the instance, as `out#2`. */
  const failing = new Set<string>()
  const slow = new Map<string, Promise<void>>()
  const meters = new MeterRegistry('normal')
  const name = (context: ComponentContext): string => {
    const number = (made.get(context.id) ?? 0) + 1
    made.set(context.id, number)
    if (failing.has(`create ${context.id}#${number}`)) throw new Error(`${context.id}#${number} cannot be made`)
    context.meter.counter('x_count', '{x}', 'Counts.').add(1)
    context.meter.observe('x_gauge', '{x}', 'Is one.', () => 1)
    return `${context.id}#${number}`
  }
  const life = (self: string, { port }: Infer<typeof config>, flush = (): void => {}) => {
    let listens = false
    return {
      start(): void {
        if (failing.has(self)) throw new Error(`${self} cannot`)
        if (ports.has(port)) {
          const taken = { code: 'EADDRINUSE', port: Number(port.slice(1)) }
          throw Object.assign(new Error('listen EADDRINUSE'), taken)
        }
        listens = port !== ''
        if (listens) ports.add(port)
        events.push(`start ${self}`)
      },
      async stop(): Promise<void> {
        events.push(`stop ${self}`)
        if (listens) ports.delete(port)
        flush()
        await slow.get(self)
      },
    }
  }
  const common = {
    summary: 'X.',
    config,
    exclusive: ({ path }: Infer<typeof config>) => (path === '' ? [] : [path]),
    exclusiveInShard: ({ seat }: Infer<typeof config>) => (seat === '' ? [] : [seat]),
  }
  const factories: Record<string, AnyFactory> = {
    receiver: defineReceiver({
      ...common,
      type: 'receiver',
      signals: SIGNALS,
      create(own, context) {
        outputs.set(context.id, context.outputs)
        return life(name(context), own)
      },
    }),
    processor: defineProcessor({
      ...common,
      type: 'processor',
      signals: SIGNALS,
      create(own, context) {
        const self = name(context)
        const held: { batch: Batch; out: Output }[] = []
        const flush = (): void => {
          for (const { batch, out } of held.splice(0)) out.send(batch)
        }
        return {
          ...life(self, own, flush),
          process(batch, out) {
            if (context.id === 'hold') held.push({ batch, out })
            else out.send(batch)
          },
        }
      },
    }),
    exporter: defineExporter({
      ...common,
      type: 'exporter',
      signals: SIGNALS,
      create(own, context) {
        const self = name(context)
        const batches: Batch[] = []
        taken.set(self, batches)
        let running = false
        const lived = life(self, own, () => {
          running = false
          for (const batch of batches) {
            if (batch.delivery.settled) continue
            const refusal = own.value === 'unreachable' ? UNREACHABLE : own.value === 'wrong' ? WRONG : undefined
            if (refusal === undefined) batch.delivery.deliver()
            else batch.delivery.refuse(refusal)
          }
        })
        return {
          ...lived,
          start() {
            lived.start()
            running = true
          },
          export(batch) {
            assert.ok(running, `${self} was given a batch while it did not run`)
            batches.push(batch)
          },
        }
      },
    }),
    connector: defineConnector({
      ...common,
      type: 'connector',
      pairs: SIGNALS.map((s) => ({ from: s, to: s })),
      create: (own, context) => ({
        ...life(name(context), own),
        process(batch) {
          const outs = [...context.pipelines.values()]
          const parts = batch.delivery.split(outs.length)
          for (const [i, out] of outs.entries()) out.send(batch.withDelivery(parts[i]!))
        },
      }),
    }),
    extension: defineExtension({ ...common, type: 'extension', create: (own, context) => life(name(context), own) }),
  }
  factories.shared = { ...(factories.processor as object), shared: true } as AnyFactory

  function read({ pipelines, own = {}, extensions = [], connectors = [] }: File) {
    const list = Object.entries(pipelines).map(([title, text]) => {
      const [receivers, processors, exporters] = text
        .split('>')
        .map((part) => part.split(' ').filter((id) => id !== '')) as [string[], string[], string[]]
      return { name: title, signal: title.split('/')[0] as Signal, receivers, processors, exporters }
    })
    const declare = (kind: string, ids: readonly string[]): Map<string, DeclaredComponent> =>
      new Map(
        ids.map((id) => {
          const factory = factories[id === 'limit' ? 'shared' : kind]!
          return [id, { type: kind, factory, config: parseConfig(config, own[id] ?? {}) }]
        }),
      )
    const ids = (section: 'receivers' | 'processors' | 'exporters'): string[] =>
      [...new Set(list.flatMap((p) => p[section]))].filter((id) => !connectors.includes(id))
    const graph = {
      receivers: declare('receiver', ids('receivers')),
      processors: declare('processor', ids('processors')),
      exporters: declare('exporter', ids('exporters')),
      connectors: declare('connector', connectors),
      extensions: declare('extension', extensions),
    }
    const { plan, problems } = makePlan({ ...graph, service: { extensions, pipelines: list } })
    assert.deepEqual(problems, [])
    return { plan, graph }
  }
  const services: GraphServices = {
    log: memoryLogger(),
    meterFor: (kind, id) => meters.component(kind, id),
    clock: systemClock,
    random: () => 0.5,
    build: { command: 'x', description: 'x', version: '0' },
    onStatus: () => {},
  }
  let graph: Graph
  return {
    events,
    taken,
    failing,
    slow,
    async start(file: File): Promise<void> {
      const { plan, graph: declared } = read(file)
      graph = await Graph.create(plan, declared, services)
      await graph.start()
      events.length = 0
    },
    async update(file: File, drainMs = 1_000): Promise<Changes> {
      const { plan, graph: declared } = read(file)
      return await graph.update(plan, declared, { deadline: () => AbortSignal.timeout(drainMs) })
    },
    drained: () => graph.drained(),
    statuses: () =>
      graph
        .view()
        .status()
        .map(({ kind, id, status }) => `${kind} ${id} ${status}`),
    totals: () => graph.totals(),
    stop: () => graph.stop(AbortSignal.timeout(1_000)),
    send(receiver: string): Fate {
      const { delivery, fate } = witness()
      outputs.get(receiver)!.traces!.send(batchOf('traces', REQUEST, delivery))
      return fate
    },
    metric: (metric: string, id: string): number | undefined =>
      meters
        .snapshot()
        .metrics.find((m) => m.name === metric)
        ?.series.find(({ labels }) => Object.values(labels).includes(id))?.value,
  }
}

test('what did not change is kept, and leads into what is new; what is out stops after', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > edit > out', logs: 'in > > out' } })
  const changes = await w.update({
    pipelines: { traces: 'in > edit > out more', logs: 'in > > out' },
    own: { edit: { value: 'other' } },
  })
  await w.drained()
  assert.deepEqual(w.events, ['start more#1', 'start edit#2', 'stop edit#1'])
  assert.deepEqual(changes, {
    kept: ['exporter out', 'receiver in'],
    started: ['exporter more', 'processor traces/edit'],
    stopped: ['processor traces/edit'],
  })
  const fate = w.send('in')
  for (const exporter of ['out#1', 'more#1']) w.taken.get(exporter)!.shift()!.delivery.deliver()
  assert.deepEqual(fate, { accepted: true, delivered: true, refused: undefined })
  assert.equal(w.totals().find(({ name }) => name === 'traces')!.delivered, 1)
  await w.stop()
})

test('the same configuration, or one with defaults written out, changes nothing; another secret does', async () => {
  const w = world()
  const pipelines = { traces: 'in > edit limit > out' }
  await w.start({ pipelines, own: { out: { token: 'a' } } })
  assert.deepEqual((await w.update({ pipelines, own: { out: { token: 'a', value: 'usual' } } })).started, [])
  assert.deepEqual((await w.update({ pipelines, own: { out: { token: 'b' } } })).started, ['exporter out'])
  await w.drained()
  assert.deepEqual(w.events, ['start out#2', 'stop out#1'])
  await w.stop()
})

test('a processor that is kept sends what it held to the new exporter; one that is out, to the exporter that it had', async () => {
  const kept = world()
  await kept.start({ pipelines: { traces: 'in > hold > out' } })
  const first = kept.send('in')
  await kept.update({ pipelines: { traces: 'in > hold > out' }, own: { out: { value: 'other' } } })
  await kept.drained()
  await kept.stop()
  assert.deepEqual([kept.taken.get('out#1')!.length, kept.taken.get('out#2')!.length], [0, 1])
  assert.equal(first.delivered, true)

  const out = world()
  await out.start({ pipelines: { traces: 'in > hold > out' } })
  const second = out.send('in')
  await out.update({ pipelines: { traces: 'in > > other' } })
  const third = out.send('in')
  await out.drained()
  assert.deepEqual(out.events, ['start other#1', 'stop hold#1', 'stop out#1'])
  assert.equal(second.delivered, true)
  await out.stop()
  assert.equal(third.delivered, true)
})

test('what a replaced exporter could not send goes to the one in its place, unless no retry can help', async () => {
  for (const value of ['unreachable', 'wrong']) {
    const w = world()
    const pipelines = { traces: 'in > > out' }
    await w.start({ pipelines, own: { out: { value } } })
    const fate = w.send('in')
    w.taken.get('out#1')![0]!.delivery.accept()
    await w.update({ pipelines })
    await w.drained()
    assert.equal(w.taken.get('out#2')!.length, value === 'wrong' ? 0 : 1)
    await w.stop()
    assert.deepEqual(
      [fate.accepted, fate.delivered, fate.refused?.code],
      [true, value !== 'wrong', value === 'wrong' ? 'TEST_WRONG' : undefined],
    )
  }
})

test('a new component that cannot start leaves everything as it was', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > edit > out' } })
  w.failing.add('in/2#1')
  const next = { pipelines: { traces: 'in in/2 > edit > other' }, own: { edit: { value: 'other' } } }
  await assert.rejects(w.update(next), /cannot start receiver in\/2: in\/2#1 cannot/)
  assert.deepEqual(w.events, ['start other#1', 'start edit#2', 'stop in/2#1', 'stop edit#2', 'stop other#1'])
  const fate = w.send('in')
  w.taken.get('out#1')![0]!.delivery.deliver()
  assert.equal(fate.delivered, true)
  assert.deepEqual(w.statuses(), ['exporter out ok', 'processor edit ok', 'receiver in ok'])
  assert.equal(w.metric('x_count', 'other'), undefined)
  w.failing.add('create edit#3')
  await assert.rejects(w.update({ ...next, own: { edit: { value: 'third' } } }), /cannot be made/)
  assert.equal(w.metric('x_gauge', 'edit'), 1)
  await w.stop()
})

test('a component made again goes on counting, its gauges count once, and what is gone is not shown', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > edit > out gone' } })
  await w.update({ pipelines: { traces: 'in > edit > out' }, own: { out: { value: 'other' } } })
  assert.deepEqual([w.metric('x_count', 'out'), w.metric('x_gauge', 'out')], [2, 1])
  await w.drained()
  assert.deepEqual([w.metric('x_count', 'out'), w.metric('x_gauge', 'out')], [2, 1])
  assert.deepEqual([w.metric('x_count', 'gone'), w.metric('x_gauge', 'gone')], [undefined, undefined])
  await w.stop()
})

for (const how of ['path', 'seat', 'storage'] as const) {
  const held = { path: { path: '/queue' }, seat: { seat: 'client 7' }, storage: { storage: 'disk' } }[how]
  const extensions = how === 'storage' ? ['disk'] : []

  test(`an exporter that holds a ${how} stops before its successor starts, and batches wait meanwhile`, async () => {
    const w = world()
    const pipelines = { traces: 'in > > out' }
    await w.start({ pipelines, extensions, own: { out: held } })
    const stopped = Promise.withResolvers<void>()
    w.slow.set('out#1', stopped.promise)
    const updating = w.update({ pipelines, extensions, own: { out: { ...held, value: 'other' } } })
    while (!w.events.includes('stop out#1')) await new Promise(setImmediate)
    const fates = [w.send('in'), w.send('in')]
    assert.ok(!w.events.includes('start out#2'))
    stopped.resolve()
    await updating
    assert.deepEqual(w.events, ['stop out#1', 'start out#2'])
    assert.equal(w.taken.get('out#2')!.length, 2)
    await w.stop()
    assert.ok(fates.every((fate) => fate.delivered))
  })

  test(`an exporter that holds a ${how} is made again when its successor cannot start, and gets what waited`, async () => {
    const w = world()
    const pipelines = { traces: 'in > > out' }
    await w.start({ pipelines, extensions, own: { out: held } })
    w.failing.add('out#2')
    const stopped = Promise.withResolvers<void>()
    w.slow.set('out#1', stopped.promise)
    const updating = w.update({ pipelines, extensions, own: { out: { ...held, value: 'other' } } })
    while (!w.events.includes('stop out#1')) await new Promise(setImmediate)
    const fate = w.send('in')
    stopped.resolve()
    await assert.rejects(updating, /cannot start exporter out: out#2 cannot/)
    assert.deepEqual(w.events, ['stop out#1', 'stop out#2', 'start out#3'])
    assert.equal(w.taken.get('out#3')!.length, 1)
    await w.stop()
    assert.equal(fate.delivered, true)
  })
}

test('what cannot be made again either is told apart, and what waits for it is refused with a retry', async () => {
  const w = world()
  const pipelines = { traces: 'in > > out' }
  await w.start({ pipelines, own: { out: { path: '/queue' } } })
  w.failing.add('out#2').add('out#3')
  await assert.rejects(w.update({ pipelines, own: { out: { path: '/queue', value: 'x' } } }), BrokenUpdate)
  const { refused } = w.send('in')
  assert.deepEqual([refused?.code, refused?.retry], ['GRAPH_CHANGED', 'backoff'])
  await w.stop()
})

test('a storage that changed goes after those that use it and comes before them', async () => {
  const w = world()
  const pipelines = { traces: 'in > edit > out side' }
  const own = { out: { storage: 'disk' }, disk: {} }
  await w.start({ pipelines, extensions: ['disk'], own })
  const changes = await w.update({ pipelines, extensions: ['disk'], own: { ...own, disk: { value: 'other' } } })
  assert.deepEqual(w.events, ['stop out#1', 'stop disk#1', 'start disk#2', 'start out#2'])
  assert.deepEqual(changes.kept, ['exporter side', 'processor traces/edit', 'receiver in'])
  await w.stop()
})

test('whoever names an extension that changed is made anew with it', async () => {
  const w = world()
  const pipelines = { traces: 'in > > out' }
  const own = { in: { value: 'auth' }, auth: {} }
  await w.start({ pipelines, extensions: ['auth'], own })
  const { kept } = await w.update({ pipelines, extensions: ['auth'], own: { ...own, auth: { value: 'other' } } })
  assert.deepEqual(kept, ['exporter out'])
  await w.stop()
})

test('a port passes from the old receiver to the new one while the old one still answers', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > > out' }, own: { in: { port: ':4317' } } })
  const answered = Promise.withResolvers<void>()
  w.slow.set('in#1', answered.promise)
  await w.update({ pipelines: { traces: 'renamed > > out' }, own: { renamed: { port: ':4317' } } })
  assert.deepEqual(w.events, ['stop renamed#1', 'stop in#1', 'start renamed#2'])
  assert.deepEqual(w.statuses(), ['exporter out ok', 'receiver renamed ok'])
  answered.resolve()
  await w.drained()
  await w.stop()
})

test('a port that somebody else holds stops no receiver that has another', async () => {
  const w = world()
  await w.start({
    pipelines: { traces: 'in other > > out' },
    own: { in: { port: ':4317' }, other: { port: ':9999' } },
  })
  await assert.rejects(
    w.update({
      pipelines: { traces: 'in other > > out' },
      own: { in: { port: ':9999', value: 'x' }, other: { port: ':9999' } },
    }),
    /EADDRINUSE/,
  )
  assert.deepEqual(w.events, ['stop in#2'])
  await w.stop()
})

test('a port that is free too late brings the old receiver back', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > > out' }, own: { in: { port: ':4317' } } })
  w.failing.add('in#3')
  await assert.rejects(w.update({ pipelines: { traces: 'in > > out' }, own: { in: { port: ':4317', value: 'x' } } }))
  assert.deepEqual(w.events, ['stop in#2', 'stop in#1', 'stop in#3', 'start in#4'])
  const fate = w.send('in')
  await w.stop()
  assert.equal(fate.delivered, true)
})

test('a shared processor and a connector are kept while pipelines come and go around them', async () => {
  const w = world()
  const one = { traces: 'in > limit > fork', 'traces/a': 'fork > limit > a' }
  const two = { ...one, 'traces/b': 'fork > limit > b' }
  await w.start({ pipelines: one, connectors: ['fork'] })
  const send = async (exporters: string[]): Promise<void> => {
    const fate = w.send('in')
    for (const exporter of exporters) w.taken.get(exporter)!.pop()!.delivery.deliver()
    assert.equal(fate.delivered, true, exporters.join())
  }
  await send(['a#1'])
  const added = await w.update({ pipelines: two, connectors: ['fork'] })
  assert.deepEqual(added.started, ['exporter b'])
  await send(['a#1', 'b#1'])
  await w.update({ pipelines: one, connectors: ['fork'] })
  await send(['a#1'])
  await w.drained()
  await w.update({ pipelines: two, connectors: ['fork'] })
  await send(['a#1', 'b#2'])
  assert.equal(w.totals().find(({ name }) => name === 'traces/b')!.delivered, 2)
  await w.stop()
})

test('the next update waits until what the last one took out has drained', async () => {
  const w = world()
  await w.start({ pipelines: { traces: 'in > > out' } })
  const drained = Promise.withResolvers<void>()
  w.slow.set('out#1', drained.promise)
  await w.update({ pipelines: { traces: 'in > > other' } })
  const back = w.update({ pipelines: { traces: 'in > > out' } })
  await new Promise(setImmediate)
  assert.ok(!w.events.includes('start out#2'))
  drained.resolve()
  await back
  await w.stop()
  assert.deepEqual(w.events.slice(-2), ['stop in#1', 'stop out#2'])
})
