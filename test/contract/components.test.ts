// What every component of the registry promises, whoever wrote it.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseConfig } from '../../src/config/testing.ts'
import { DeliveryError } from '../../src/delivery/error.ts'
import type { AnyFactory, Lifecycle, Output } from '../../src/graph/component.ts'
import { registry } from '../../src/graph/registry.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { checkRequest } from '../../src/otlp/check.ts'
import type { Signal } from '../../src/otlp/signal.ts'
import { batchOf, type Fate, type Rig, rig, sink, witness } from '../support/harness.ts'
import { configFor, examplesOf, folderOf, readmeOf } from './examples.ts'
import { requestWithUnknownFields, UNKNOWN_MARKS } from './requests.ts'

const LOST = 'neither sent on nor settled: write out.send(...), batch.delivery.deliver() or batch.delivery.refuse(...)'
const REFUSAL = new DeliveryError('TEST_REFUSED', 'the next component refused', { retry: 'backoff' })

function ownFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Open sockets, servers and watchers; pipes to the test runner come and go. */
const handles = (): string[] => process.getActiveResourcesInfo().filter((r) => /Server|Socket|FSEvent|UDP/.test(r))

interface Made extends Rig {
  readonly component: Lifecycle
  /** Takes a batch as the graph would hand it over; undefined for what takes none. */
  readonly take: ((batch: Batch) => void) | undefined
}

/** The component of a factory, created and not started, sending to `out`. */
async function make(factory: AnyFactory, config: unknown, signal: Signal, out: Output): Promise<Made> {
  const base = rig()
  const context = base.context(factory.kind, factory.type)
  switch (factory.kind) {
    case 'receiver':
      return {
        ...base,
        component: await factory.create(config, { ...context, outputs: { [signal]: out } }),
        take: undefined,
      }
    case 'processor': {
      const processor = factory.create(config, { ...context, signal, pipeline: signal })
      return { ...base, component: processor, take: (batch) => processor.process(batch, out) }
    }
    case 'connector': {
      const pair = factory.pairs.find((p) => p.from === signal)!
      const connector = factory.create(config, { ...context, ...pair, pipelines: new Map([[pair.to, out]]) })
      return { ...base, component: connector, take: (batch) => connector.process(batch, out) }
    }
    case 'exporter': {
      const exporter = factory.create(config, { ...context, signals: [signal] })
      return { ...base, component: exporter, take: (batch) => exporter.export(batch) }
    }
    case 'extension': {
      const shard = { startedAtMs: 0, pipelines: [], extensions: [factory.type], status: () => [] }
      return { ...base, component: factory.create(config, { ...context, shard }), take: undefined }
    }
  }
}

const signalsOf = (factory: AnyFactory): readonly Signal[] =>
  factory.kind === 'extension'
    ? ['traces']
    : factory.kind === 'connector'
      ? [...new Set(factory.pairs.map((p) => p.from))]
      : factory.signals

/** Lets timers of the fake clock and real sockets have their turn until `done`, for at most five seconds. */
async function until(base: Rig, done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) {
    base.clock.advance(1_000)
    await sleep(i < 20 ? 1 : 50)
  }
}

for (const entry of registry) {
  const name = `${entry.kind} ${entry.type}`
  const factory = await entry.load()

  test(`${name}: the registry says what the factory says`, () => {
    assert.deepEqual(
      { kind: factory.kind, type: factory.type, aliases: factory.aliases ?? [] },
      { kind: entry.kind, type: entry.type, aliases: entry.aliases },
    )
    assert.match(factory.summary, /^[A-Z].*\.$/s, 'the summary is one sentence')
  })

  test(`${name}: its README has an example that loads, and says what it counts and where its limits are`, () => {
    const readme = readmeOf(entry.kind, entry.type)
    for (const heading of ['## Configuration', '## Telemetry', '## Limits']) {
      assert.ok(readme.includes(`\n${heading}\n`), `README.md of ${name} has no section ${heading}`)
    }
    const examples = examplesOf(entry.kind, entry.type)
    assert.ok(examples.length > 0, `README.md of ${name} has no YAML example under ${entry.kind}s:`)
    for (const example of examples) parseConfig(factory.config, example)
    assert.ok(existsSync(join(folderOf(entry.kind, entry.type), 'factory.ts')))
  })

  test(`${name}: create() opens nothing, stop() is safe before start() and when called twice`, async (t) => {
    const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signalsOf(factory)[0]!))
    const before = handles().length
    const made = await make(factory, config, signalsOf(factory)[0]!, sink('deliver'))
    assert.ok(handles().length <= before, handles().join())
    assert.equal(made.clock.pending, 0, 'create() started a timer')
    await made.component.stop?.(AbortSignal.timeout(1_000))
    await made.component.stop?.(AbortSignal.timeout(1_000))
  })

  test(`${name}: after start() and stop() no handle and no timer is left`, async (t) => {
    const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signalsOf(factory)[0]!))
    const before = handles().length
    const made = await make(factory, config, signalsOf(factory)[0]!, sink('deliver'))
    await made.component.start?.()
    await made.component.stop?.(AbortSignal.timeout(2_000))
    await made.component.stop?.(AbortSignal.timeout(2_000))
    for (let i = 0; i < 40 && handles().length > before; i++) await sleep(25)
    assert.ok(handles().length <= before, handles().join())
    assert.equal(made.clock.pending, 0, 'stop() left a timer')
  })

  if (factory.kind === 'receiver' || factory.kind === 'extension') continue

  for (const signal of signalsOf(factory)) {
    for (const next of ['delivers', 'refuses'] as const) {
      test(`${name}: every batch of ${signal} settles once when what follows ${next}`, async (t) => {
        const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signal))
        const made = await make(factory, config, signal, sink(next === 'delivers' ? 'deliver' : REFUSAL))
        await made.component.start?.()
        const fates: Fate[] = []
        for (let i = 0; i < 5; i++) {
          const { delivery, fate } = witness()
          fates.push(fate)
          made.take!(batchOf(signal, requestWithUnknownFields(signal), delivery))
        }
        const settled = (): boolean => fates.every((fate) => fate.delivered || fate.refused !== undefined)
        await until(made, settled)
        await made.component.stop?.(AbortSignal.timeout(2_000))
        const left = fates.filter((fate) => !fate.delivered && fate.refused === undefined).length
        assert.equal(left, 0, `${left} of ${fates.length} batches were ${LOST}`)
        if (factory.kind !== 'exporter' && next === 'refuses') {
          assert.ok(
            fates.every((fate) => fate.refused !== undefined),
            'a refusal behind it was not passed on',
          )
        }
      })
    }

    test(`${name}: what it still holds of ${signal} settles when it is stopped without time`, async (t) => {
      const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signal))
      const made = await make(factory, config, signal, sink('deliver'))
      await made.component.start?.()
      const { delivery, fate } = witness()
      made.take!(batchOf(signal, requestWithUnknownFields(signal), delivery))
      await made.component.stop?.(AbortSignal.abort())
      for (let i = 0; i < 40 && !fate.delivered && fate.refused === undefined; i++) await sleep(25)
      assert.ok(fate.delivered || fate.refused !== undefined, `the batch was ${LOST}`)
    })

    if (factory.kind === 'exporter') continue
    test(`${name}: fields that nobody knows survive in ${signal}, and counts are right`, async (t) => {
      const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signal))
      const out = sink('deliver')
      const made = await make(factory, config, signal, out)
      await made.component.start?.()
      const request = requestWithUnknownFields(signal)
      made.take!(batchOf(signal, request))
      await until(made, () => out.sent.length > 0)
      await made.component.stop?.(AbortSignal.timeout(2_000))
      assert.deepEqual(request, requestWithUnknownFields(signal), 'bytes of the batch were changed in place')
      assert.ok(out.sent.length > 0, 'nothing was sent on')
      const bytes = Buffer.concat(out.sent.flatMap((batch) => batch.parts))
      for (const mark of UNKNOWN_MARKS[signal]) assert.ok(bytes.includes(mark), `${mark} is gone`)
      for (const batch of out.sent) {
        const items = batch.parts.reduce((sum, part) => sum + checkRequest(batch.signal, part), 0)
        assert.equal(batch.items, items)
      }
    })
  }

  test(`${name}: every metric it makes has a unit and words`, async (t) => {
    const seen: string[] = []
    const base = rig()
    const real = base.context(factory.kind, factory.type)
    const watch = <A extends unknown[], R>(make: (name: string, unit: string, help: string, ...more: A) => R) => {
      return (metric: string, unit: string, help: string, ...more: A): R => {
        if (unit === '') seen.push(`${metric}: its unit is empty; write one of UCUM, {resource} or By or s`)
        if (!/^[A-Z]/.test(help)) seen.push(`${metric}: its words begin with no capital letter: ${help}`)
        return make(metric, unit, help, ...more)
      }
    }
    const meter = {
      counter: watch(real.meter.counter),
      gauge: watch(real.meter.gauge),
      observe: watch(real.meter.observe),
      histogram: watch(real.meter.histogram),
    }
    const config = parseConfig(factory.config, configFor(entry.kind, entry.type, ownFolder(t), signalsOf(factory)[0]!))
    const signal = signalsOf(factory)[0]!
    const context = { ...real, meter }
    let component: Lifecycle
    if (factory.kind === 'processor') component = factory.create(config, { ...context, signal, pipeline: signal })
    else if (factory.kind === 'exporter') component = factory.create(config, { ...context, signals: [signal] })
    else {
      const pair = factory.pairs[0]!
      component = factory.create(config, { ...context, ...pair, pipelines: new Map([[pair.to, sink()]]) })
    }
    await component.stop?.(AbortSignal.abort())
    assert.deepEqual(seen, [])
  })
}
