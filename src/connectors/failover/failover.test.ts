import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, type Fate, rig, sink, witness } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Output } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

const down = (): DeliveryError => new DeliveryError('TEST_DOWN', 'connection refused', { retry: 'backoff' })
const bad = (): DeliveryError => new DeliveryError('TEST_BAD', 'malformed', { retry: 'never', grpcCode: 3 })

/** A pipeline whose answer the test sets; without one the test settles what `got` holds. */
interface Pipeline extends Output {
  answer: 'deliver' | (() => DeliveryError) | undefined
  readonly got: Batch[]
}

function pipeline(answer: Pipeline['answer'] = 'deliver'): Pipeline {
  const got: Batch[] = []
  return {
    answer,
    got,
    send(batch) {
      got.push(batch)
      if (this.answer === 'deliver') batch.delivery.deliver()
      else if (this.answer !== undefined) batch.delivery.refuse(this.answer())
    },
  }
}

function failover(levels: string[][], options: object = {}) {
  const base = rig()
  const pipelines = new Map(levels.flat().map((name) => [name, pipeline()]))
  const connector = factory.create(parseConfig(config, { priority_levels: levels, ...options }), {
    ...base.context('connector', 'failover'),
    from: 'traces',
    to: 'traces',
    pipelines,
  })
  return {
    ...base,
    connector,
    of: (name: string) => pipelines.get(name)!,
    push(): Fate {
      const { delivery, fate } = witness()
      connector.process(
        batchOf('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 's' }] }] }] }, delivery),
        sink(),
      )
      return fate
    },
    level: () => base.metric('connector_failover_level', { 'otel.signal': 'traces' }),
    failed: (level: number) => base.metric('connector_failover_count', { level: String(level) }),
  }
}

const THREE = [['traces/a'], ['traces/b'], ['traces/c']]

test('data go to the first level while it takes them', () => {
  const { push, of, level, clock } = failover(THREE)
  assert.equal(push().delivered, true)
  assert.equal(of('traces/a').got.length, 1)
  assert.equal(of('traces/b').got.length, 0)
  assert.equal(level(), 0)
  assert.equal(clock.pending, 0)
})

test('what a level refuses goes to the next as the same bytes, and what follows goes there at once', () => {
  const { push, of, level, failed } = failover(THREE)
  of('traces/a').answer = down
  assert.equal(push().delivered, true)
  assert.equal(push().delivered, true)
  assert.equal(of('traces/a').got.length, 1)
  assert.equal(of('traces/b').got.length, 2)
  assert.equal(of('traces/b').got[0]!.parts, of('traces/a').got[0]!.parts)
  assert.equal(level(), 1)
  assert.deepEqual([failed(0), failed(1), failed(2)], [1, 0, 0])
})

test('a queue that took the batch and gives it up later is followed: the sender has its answer, the next level the data', () => {
  const { push, of, level } = failover(THREE)
  of('traces/a').answer = undefined
  const fate = push()
  const [queued] = of('traces/a').got
  queued!.delivery.accept()
  assert.deepEqual(fate, { accepted: true, delivered: false, refused: undefined })
  queued!.delivery.refuse(down())
  assert.deepEqual(fate, { accepted: true, delivered: true, refused: undefined })
  assert.equal(of('traces/b').got.length, 1)
  assert.equal(level(), 1)
})

test('of many batches that fail together only the first moves the level', () => {
  const { push, of, level, failed } = failover(THREE)
  of('traces/a').answer = undefined
  const fates = Array.from({ length: 10 }, push)
  for (const { delivery } of of('traces/a').got) delivery.refuse(down())
  assert.ok(fates.every(({ delivered }) => delivered))
  assert.equal(level(), 1)
  assert.deepEqual([failed(0), failed(1)], [1, 0])
  assert.equal(of('traces/b').got.length, 10)
  assert.equal(of('traces/c').got.length, 0)
})

test('every pipeline of a level gets the data, and one that refuses sends the whole batch to the next level', () => {
  const { push, of, level } = failover([['traces/a', 'traces/b'], ['traces/c']])
  assert.equal(push().delivered, true)
  assert.equal(of('traces/a').got.length + of('traces/b').got.length, 2)
  of('traces/b').answer = down
  assert.equal(push().delivered, true)
  assert.equal(of('traces/a').got.length, 2)
  assert.equal(of('traces/c').got.length, 1)
  assert.equal(level(), 1)
})

test('when every level refuses, the sender may try again, and its next try asks every level again', () => {
  const { push, of, level } = failover(THREE)
  for (const name of THREE.flat()) of(name).answer = down
  for (let round = 1; round <= 3; round++) {
    const { refused, accepted } = push()
    assert.equal(refused?.code, 'FAILOVER_EXHAUSTED')
    assert.equal(refused?.retry, 'backoff')
    assert.equal(accepted, false)
    for (const name of THREE.flat()) assert.equal(of(name).got.length, round)
  }
  of('traces/c').answer = 'deliver'
  assert.equal(push().delivered, true)
  assert.equal(level(), 2)
  // A level above that has come back is found before anything is refused, ahead of retry_interval.
  of('traces/c').answer = down
  of('traces/a').answer = 'deliver'
  assert.equal(push().delivered, true)
  assert.equal(level(), 0)
})

test('each retry_interval one batch tries the levels above, and the first that delivers it is the level again', () => {
  const { push, of, level, clock } = failover(THREE, { retry_interval: '1m' })
  of('traces/a').answer = down
  of('traces/b').answer = down
  push()
  assert.equal(level(), 2)
  clock.advance(59_999)
  push()
  assert.equal(of('traces/a').got.length, 1)
  clock.advance(1)
  assert.equal(push().delivered, true)
  assert.deepEqual([of('traces/a').got.length, of('traces/b').got.length, of('traces/c').got.length], [2, 2, 3])
  push()
  assert.equal(of('traces/a').got.length, 2, 'one probe for each interval')
  of('traces/b').answer = 'deliver'
  clock.advance(60_000)
  push()
  assert.equal(level(), 1)
  of('traces/a').answer = 'deliver'
  clock.advance(60_000)
  push()
  assert.equal(level(), 0)
  assert.equal(clock.pending, 0, 'the ticker runs on at the first level')
})

test('a probe that is still on its way holds up nobody', () => {
  const { push, of, level, clock } = failover([['traces/a'], ['traces/b']], { retry_interval: '1m' })
  of('traces/a').answer = down
  push()
  of('traces/a').answer = undefined
  clock.advance(60_000)
  const probe = push()
  assert.equal(push().delivered, true)
  assert.equal(level(), 1)
  of('traces/a').got.at(-1)!.delivery.deliver()
  assert.equal(probe.delivered, true)
  assert.equal(level(), 0)
})

test('a batch that is refused for good moves nobody, unless another level takes it', () => {
  const { push, of, level } = failover([['traces/a'], ['traces/b']])
  for (const name of ['traces/a', 'traces/b']) of(name).answer = bad
  const { refused } = push()
  assert.equal(refused?.code, 'TEST_BAD')
  assert.equal(level(), 0)
  of('traces/b').answer = 'deliver'
  assert.equal(push().delivered, true)
  assert.equal(level(), 1)
})

test('signals have levels of their own', () => {
  const base = rig()
  const made = (['traces', 'logs'] as const).map((signal) => {
    const pipelines = new Map([
      [`${signal}/a`, pipeline()],
      [`${signal}/b`, pipeline()],
    ])
    const connector = factory.create(parseConfig(config, { priority_levels: [[`${signal}/a`], [`${signal}/b`]] }), {
      ...base.context('connector', 'failover'),
      from: signal,
      to: signal,
      pipelines,
    })
    return { connector, pipelines }
  })
  made[0]!.pipelines.get('traces/a')!.answer = down
  made[0]!.connector.process(batchOf('traces', { resourceSpans: [] }, witness().delivery), sink())
  assert.equal(base.metric('connector_failover_level', { 'otel.signal': 'traces' }), 1)
  assert.equal(base.metric('connector_failover_level', { 'otel.signal': 'logs' }), 0)
})

test('stopping ends the ticker, and what fails afterwards is still followed', () => {
  const { push, of, connector, clock } = failover(THREE)
  of('traces/a').answer = down
  push()
  of('traces/b').answer = undefined
  const fate = push()
  void connector.stop?.(AbortSignal.abort())
  assert.equal(clock.pending, 0)
  of('traces/b').got.at(-1)!.delivery.refuse(down())
  assert.equal(fate.delivered, true)
  assert.equal(clock.pending, 0)
})

test('pipelines that do not stand behind the connector, and those that no level names, are problems with a place', () => {
  const problems = (levels: string[][]): string[] => {
    try {
      factory.create(parseConfig(config, { priority_levels: levels }), {
        ...rig().context('connector', 'failover/x'),
        from: 'traces',
        to: 'traces',
        pipelines: new Map([
          ['traces/a', pipeline()],
          ['traces/b', pipeline()],
        ]),
      })
      return []
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.problems.map(
        ({ path, what }) => `${path.replace('connectors.failover/x.priority_levels', '')} ${what}`,
      )
    }
  }
  assert.deepEqual(problems([['traces/a'], ['traces/b']]), [])
  assert.deepEqual(problems([['traces/a', 'traces/c'], ['metrics/b'], ['traces/b']]), [
    '[0][1] traces/c does not receive from failover/x',
    '[1][0] metrics/b is no pipeline of traces, and a pipeline of traces ends in failover/x',
  ])
  assert.deepEqual(problems([['traces/b']]), [
    ' traces/a receives from failover/x and stands in no level, so it would never get anything',
  ])
})
