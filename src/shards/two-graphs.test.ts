// Several shards' graphs in one thread, joined as the supervisor joins threads: what belongs to whom, and the end.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { batchOf, type Fate, memoryLogger, witness } from '../../test/support/harness.ts'
import { object } from '../config/schema.ts'
import { systemClock } from '../graph/clock.ts'
import {
  type AnyFactory,
  defineExporter,
  defineProcessor,
  defineReceiver,
  type Output,
  type ShardPlace,
} from '../graph/component.ts'
import { makePlan, type Plan } from '../graph/plan.ts'
import { type DeclaredComponent, Graph, type GraphConfig } from '../graph/run.ts'
import type { Batch } from '../otlp/batch.ts'
import { bytesToJson } from '../otlp/json/index.ts'
import type { ShardKey } from '../otlp/shard-key.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { Links } from './links.ts'
import { makeLoadTable } from './load.ts'

const COUNT = 3
const common = { type: 'x', summary: 'X.', config: object({}) }

interface Held {
  readonly batch: Batch
  readonly out: Output
}

/** Shards with a processor `window` that holds what it gets until it is stopped, and an exporter `out`. */
async function shards(t: TestContext, options: { key?: ShardKey; exclusive?: boolean; exporterKey?: ShardKey }) {
  const inputs: Output[] = []
  /** What each shard's processor holds, and what each shard's exporter got. */
  const held: Held[][] = Array.from({ length: COUNT }, () => [])
  const out: Batch[][] = Array.from({ length: COUNT }, () => [])
  const receiver = defineReceiver({
    ...common,
    signals: ['traces'],
    create(_, { shards, outputs }) {
      inputs[shards.index] = outputs.traces!
      return {}
    },
  })
  const window = defineProcessor({
    ...common,
    signals: ['traces'],
    ...(options.key === undefined ? {} : { key: options.key }),
    create: (_, { shards }) => ({
      process: (batch, next) => {
        batch.delivery.accept()
        held[shards.index]!.push({ batch, out: next })
      },
      stop: () => {
        for (const { batch, out } of held[shards.index]!.splice(0)) out.send(batch)
      },
    }),
  })
  const exporter = defineExporter({
    ...common,
    signals: ['traces'],
    ...(options.exclusive === true ? { exclusive: () => ['file x'] } : {}),
    ...(options.exporterKey === undefined ? {} : { key: options.exporterKey }),
    create: (_, { shards }) => {
      let stopped = false
      return {
        export: (batch) => {
          assert.ok(!stopped, 'a stopped exporter got a batch')
          out[shards.index]!.push(batch)
          batch.delivery.deliver()
        },
        stop: () => {
          stopped = true
        },
      }
    },
  })
  const declare = (factory: AnyFactory, id: string): Map<string, DeclaredComponent> =>
    new Map([[id, { type: 'x', factory, config: {} }]])
  const config = {
    receivers: declare(receiver, 'in'),
    processors: declare(window, 'window'),
    exporters: declare(exporter, 'out'),
    connectors: new Map(),
    extensions: new Map(),
  } satisfies GraphConfig
  const planOf = (processors: string[]): Plan => {
    const pipelines = [{ name: 'traces', signal: 'traces' as const, receivers: ['in'], processors, exporters: ['out'] }]
    const { plan, problems } = makePlan({ ...config, service: { extensions: [], pipelines } }, COUNT)
    assert.deepEqual(problems, [])
    return plan
  }
  const links: Links[] = []
  const met: number[] = new Array(COUNT).fill(0)
  const loads = makeLoadTable(COUNT)
  const graphs: Graph[] = []
  for (let index = 0; index < COUNT; index++) {
    const place: ShardPlace = { index, count: COUNT, sharePorts: true, alone: index === 0 }
    const meters = new MeterRegistry('normal')
    const neighbours = new Links({
      place,
      loads,
      ends: [],
      clock: systemClock,
      log: memoryLogger(),
      meter: meters.meter(),
      met: (point) => {
        met[index] = point
        for (const one of links) one.goOn(Math.min(...met))
      },
    })
    for (let other = 0; other < index; other++) {
      const { port1, port2 } = new MessageChannel()
      links[other]!.link({ shard: index, port: port1 })
      neighbours.link({ shard: other, port: port2 })
    }
    links.push(neighbours)
    const graph = await Graph.create(planOf(['window']), config, {
      log: memoryLogger(),
      meterFor: (kind, id) => meters.component(kind, id),
      clock: systemClock,
      random: () => 0.5,
      build: { command: 'x', description: 'x', version: '0' },
      onStatus: () => {},
      shards: place,
      neighbours,
    })
    neighbours.open((name, batch) => graph.take(name, batch))
    await graph.start()
    graphs.push(graph)
  }
  t.after(() => {
    for (const one of links) one.close()
  })
  const stop = (): Promise<unknown> => Promise.all(graphs.map((graph) => graph.stop(AbortSignal.timeout(10_000))))
  const reload = (index: number, processors: string[]): Promise<unknown> =>
    graphs[index]!.update(planOf(processors), config, { deadline: () => AbortSignal.timeout(10_000) })
  return { inputs, held, out, graphs, stop, reload }
}

const TRACES = Array.from({ length: 12 }, (_, i) => (i + 1).toString(16).padStart(32, '0'))

function send(input: Output, name: string, traceIds = TRACES): Fate {
  const { delivery, fate } = witness()
  const spans = traceIds.map((traceId) => ({ traceId, spanId: '0102030405060708', name }))
  input.send(batchOf('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] }, delivery))
  return fate
}

/** `trace name` of every span in the batches, in their order. */
const spansIn = (batches: readonly Batch[]): string[] =>
  batches.flatMap(({ parts }) => {
    const json = JSON.parse(bytesToJson('traces', parts)) as {
      resourceSpans: { scopeSpans: { spans: { traceId: string; name: string }[] }[] }[]
    }
    return json.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans.map((x) => `${x.traceId} ${x.name}`)))
  })

async function until(what: string, is: () => boolean): Promise<void> {
  const end = performance.now() + 5_000
  while (!is()) {
    assert.ok(performance.now() < end, `never ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('every span of a trace reaches the one shard that owns it, in order, whichever shard received it', async (t) => {
  const { inputs, held } = await shards(t, { key: 'trace' })
  const fates = [send(inputs[0]!, 'first'), send(inputs[0]!, 'second'), send(inputs[2]!, 'third')]
  await until('accepted', () => fates.every(({ accepted }) => accepted))
  const owned = held.map((list) => spansIn(list.map(({ batch }) => batch)))
  assert.ok(owned.every((spans) => spans.length > 0))
  assert.equal(owned.flat().length, 3 * TRACES.length)
  for (const id of TRACES) {
    const owner = owned.find((spans) => spans.some((span) => span.startsWith(id)))!
    const names = owner.filter((span) => span.startsWith(id)).map((span) => span.split(' ')[1])
    assert.deepEqual(
      names.filter((name) => name !== 'third'),
      ['first', 'second'],
    )
    assert.ok(names.includes('third'))
  }
})

test('a batch of which shards share the traces is delivered when all of them have delivered, and refused when one has not', async (t) => {
  const { inputs, held, stop } = await shards(t, { key: 'trace' })
  const fate = send(inputs[1]!, 'x')
  await until('accepted', () => fate.accepted)
  assert.ok(!fate.delivered)
  await stop()
  assert.ok(fate.delivered)
  assert.ok(held.every((list) => list.length === 0))
})

test('an exporter that only one shard can hold gets what all of them have, to the last batch that is flushed at the end', async (t) => {
  const { inputs, held, out, stop } = await shards(t, { exclusive: true })
  const fates = inputs.map((input, index) => send(input, `from${index}`))
  await until('held', () => held.every((list) => list.length === 1))
  await stop()
  assert.ok(fates.every(({ delivered }) => delivered))
  assert.equal(out.filter((batches) => batches.length > 0).length, 1)
  assert.deepEqual(new Set(spansIn(out.flat()).map((span) => span.split(' ')[1])), new Set(['from0', 'from1', 'from2']))
})

test('while a reload has reached one shard and not the other, what is handed over waits for it', async (t) => {
  const { inputs, held, reload } = await shards(t, { key: 'trace' })
  for (const index of [0, 1, 2]) await reload(index, [])
  await reload(0, ['window'])
  const fate = send(inputs[0]!, 'x')
  await until('held', () => held[0]!.length === 1)
  assert.ok(!fate.accepted)
  await reload(1, ['window'])
  await reload(2, ['window'])
  await until('accepted', () => fate.accepted)
  assert.equal(spansIn(held.flat().map(({ batch }) => batch)).length, TRACES.length)
})

test('an exporter that keeps order by a key gets each key in one shard, in order, through a reload and to the last batch of the end', async (t) => {
  const { inputs, held, out, stop, reload } = await shards(t, { exporterKey: 'trace' })
  const first = send(inputs[0]!, '1')
  await until('held', () => held[0]!.length === 1)
  for (const index of [0, 1, 2]) await reload(index, [])
  await until('delivered', () => first.delivered)
  const second = send(inputs[0]!, '2')
  await until('delivered', () => second.delivered)
  for (const index of [0, 1, 2]) await reload(index, ['window'])
  const last = inputs.map((input) => send(input, '3'))
  await until('held', () => held.every((list) => list.length === 1))
  await stop()
  assert.ok(last.every(({ delivered }) => delivered))
  const sent = out.map(spansIn)
  assert.ok(sent.every((spans) => spans.length > 0))
  for (const id of TRACES) {
    const owners = sent.filter((spans) => spans.some((span) => span.startsWith(id)))
    assert.equal(owners.length, 1)
    const names = owners[0]!.filter((span) => span.startsWith(id)).map((span) => span.split(' ')[1])
    assert.deepEqual(names, ['1', '2', '3', '3', '3'])
  }
})
