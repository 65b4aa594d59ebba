import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, rig, sink, witness } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { ONLY_SHARD } from '../../graph/component.ts'
import { UsageTable } from '../../graph/usage-table.ts'
import { config } from './config.ts'
import { systemMemory } from './memory.ts'
import { limitsOf, MemoryLimiter } from './memory-limiter.ts'

const MIB = 2 ** 20
const SPAN = { resourceSpans: [{ scopeSpans: [{ spans: [{}, {}] }] }] }

/** A limiter over memory that the test owns: `used` is what it reads, a collection leaves `afterCollection`. */
function limiter(options: object = {}, shards = 1) {
  const base = rig({ shards: { ...ONLY_SHARD, count: shards } })
  const memory = { used: 0, elsewhere: 0, afterCollection: undefined as number | undefined, collections: 0 }
  const parsed = parseConfig(config, { check_interval: '1s', limit_mib: 100, spike_limit_mib: 20, ...options })
  const processor = new MemoryLimiter(
    parsed,
    { ...base.context('processor', 'memory_limiter'), signal: 'traces', pipeline: 'traces' },
    {
      usedBytes: () => memory.used * MIB,
      usedElsewhereBytes: () => memory.elsewhere * MIB,
      collect: () => {
        memory.collections++
        memory.used = memory.afterCollection ?? memory.used
      },
      totalBytes: () => 1000 * MIB,
    },
  )
  const out = sink('deliver')
  const push = () => {
    const { delivery, fate } = witness()
    processor.process(batchOf('traces', SPAN, delivery), out)
    return fate
  }
  processor.start()
  return { ...base, memory, processor, out, push, stop: () => processor.stop() }
}

test('below the soft limit everything passes; above it all is refused until a look finds memory below it again', () => {
  const { clock, memory, push, statuses, logs, metric, out } = limiter()
  memory.used = 79
  clock.advance(1000)
  assert.equal(push().delivered, true)
  memory.used = 80
  assert.equal(push().delivered, true, 'a look decides, not the moment')
  clock.advance(1000)
  const refused = push().refused
  assert.equal(refused?.message, 'data refused due to high memory usage')
  assert.deepEqual(refused?.retry, { afterMs: 1000 })
  memory.used = 79
  assert.notEqual(push().refused, undefined)
  clock.advance(1000)
  assert.equal(push().delivered, true)
  assert.equal(out.sent.length, 3)
  assert.deepEqual(
    statuses.map((s) => s.status),
    ['recoverable', 'ok'],
  )
  assert.deepEqual(
    logs.map((line) => line.message),
    [
      'Memory limiter configured',
      'Memory usage is above soft limit. Forcing a GC.',
      'Memory usage after GC.',
      'Memory usage is above soft limit. Refusing data.',
      'Memory usage back within limits. Resuming normal operation.',
    ],
  )
  assert.equal(metric('processor_memory_limiter_accepted_spans'), 6)
  assert.equal(metric('processor_memory_limiter_refused_spans'), 4)
})

test('a collection that brings memory below the soft limit is enough', () => {
  const { clock, memory, push } = limiter()
  memory.used = 150
  memory.afterCollection = 10
  clock.advance(1000)
  assert.equal(memory.collections, 1)
  assert.equal(push().delivered, true)
})

test('refused_* is not there before the first refusal', () => {
  const { push, metric } = limiter()
  push()
  assert.equal(metric('processor_memory_limiter_refused_spans') ?? 0, 0)
})

test('above the soft limit garbage is collected no more often than every min_gc_interval_when_soft_limited', () => {
  const { clock, memory } = limiter({ min_gc_interval_when_soft_limited: '10s' })
  memory.used = 90
  memory.afterCollection = 81 // worthwhile: a tenth came back
  for (let second = 1; second <= 11; second++) {
    memory.used = 90
    clock.advance(1000)
  }
  assert.equal(memory.collections, 1)
  memory.used = 90
  clock.advance(1000)
  assert.equal(memory.collections, 2)
})

test('above the hard limit garbage is collected at every look', () => {
  const { clock, memory } = limiter()
  for (let second = 1; second <= 5; second++) {
    memory.used = 120
    memory.afterCollection = 90
    clock.advance(1000)
  }
  assert.equal(memory.collections, 5)
})

test('collections that bring back less than a twentieth come ever more rarely, down to max_gc_interval', () => {
  const { clock, memory } = limiter({ max_gc_interval_when_hard_limited: '4s' })
  memory.used = 120
  const at: number[] = []
  for (let second = 1; second <= 20; second++) {
    const before = memory.collections
    clock.advance(1000)
    if (memory.collections > before) at.push(second)
  }
  assert.deepEqual(at, [1, 3, 6, 11, 16])
})

test('max_gc_interval 0 turns that off', () => {
  const { clock, memory } = limiter({ max_gc_interval_when_hard_limited: 0 })
  memory.used = 120
  clock.advance(5000)
  assert.equal(memory.collections, 5)
})

/** A request of about one MiB. */
const LARGE = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'x'.repeat(MIB) }] }] }] }

test('before the interval is over, memory is looked at once as much as the spike was taken', () => {
  const { memory, processor, out, clock } = limiter()
  const push = () => {
    const { delivery, fate } = witness()
    processor.process(batchOf('traces', LARGE, delivery), out)
    return fate
  }
  memory.used = 90
  for (let i = 0; i < 20; i++) assert.equal(push().delivered, true)
  assert.notEqual(push().refused, undefined, 'the spike of 20 MiB was taken without a look')
  assert.equal(clock.monotonic(), 0)
})

test('the limit is that of all shards together, and each has its share of the spike', () => {
  const { clock, memory, push, processor, out, logs } = limiter({}, 4)
  memory.used = 20
  memory.elsewhere = 59
  clock.advance(1000)
  assert.equal(push().delivered, true)
  memory.elsewhere = 60
  memory.afterCollection = 19.5
  clock.advance(1000)
  assert.equal(push().delivered, true, 'a collection in this shard is enough')
  memory.used = 20
  clock.advance(1000)
  assert.notEqual(push().refused, undefined)
  assert.equal(logs.at(-1)?.fields.cur_mem_mib, 80)
  memory.elsewhere = 10
  clock.advance(1000)
  memory.elsewhere = 90
  for (let i = 0; i < 5; i++) {
    assert.equal(push().delivered, true)
    processor.process(batchOf('traces', LARGE), out)
  }
  assert.notEqual(push().refused, undefined, 'a quarter of the spike of 20 MiB was taken without a look')
})

test('limits: MiB win over shares, a spike that is not given is a fifth', () => {
  const total = () => 1000 * MIB
  const of = (options: object) => limitsOf(parseConfig(config, { check_interval: '1s', ...options }), total)
  assert.deepEqual(of({ limit_mib: 100 }), { limitBytes: 100 * MIB, softBytes: 80 * MIB })
  assert.deepEqual(of({ limit_percentage: 50, spike_limit_percentage: 20 }), {
    limitBytes: 500 * MIB,
    softBytes: 300 * MIB,
  })
  assert.deepEqual(of({ limit_percentage: 50 }), { limitBytes: 500 * MIB, softBytes: 400 * MIB })
  assert.deepEqual(of({ limit_mib: 100, limit_percentage: 50 }), { limitBytes: 100 * MIB, softBytes: 80 * MIB })
})

test('a configuration without interval or limit, or with limits the wrong way round, is refused', () => {
  const refused = (options: object, words: RegExp) => assert.throws(() => parseConfig(config, options), words)
  refused({ limit_mib: 100 }, /check_interval/)
  refused({ check_interval: '1s' }, /limit_mib or limit_percentage/)
  refused({ check_interval: '1s', limit_mib: 100, spike_limit_mib: 100 }, /smaller than limit_mib/)
  refused({ check_interval: '1s', limit_percentage: 101 }, /limit_percentage/)
  refused(
    { check_interval: '1s', limit_mib: 1, min_gc_interval_when_hard_limited: '11s' },
    /min_gc_interval_when_hard_limited/,
  )
})

test('stopping ends the looking, before start and twice too', () => {
  const { clock, stop } = limiter()
  stop()
  stop()
  assert.equal(clock.pending, 0)
})

test('the memory of this thread counts array buffers, and a collection frees them', () => {
  const memory = systemMemory(ONLY_SHARD)
  // What earlier tests left would be freed while this one counts.
  memory.collect()
  const before = memory.usedBytes()
  let held: Uint8Array[] | undefined = Array.from({ length: 40 }, () => new Uint8Array(MIB))
  assert.ok(memory.usedBytes() - before > 35 * MIB && held.length === 40)
  held = undefined
  memory.collect()
  assert.ok(memory.usedBytes() - before < 10 * MIB)
  assert.ok(memory.totalBytes() > 64 * MIB)
})

test('a shard tells the others what it uses', () => {
  const table = UsageTable.make(3)
  const of = (index: number) => systemMemory({ ...ONLY_SHARD, index, count: 3, memory: table })
  const [first, second] = [of(0), of(1)]
  assert.equal(first.usedElsewhereBytes(), 0)
  const used = first.usedBytes()
  assert.ok(second.usedElsewhereBytes() >= used && second.usedElsewhereBytes() < used + MIB)
  second.usedBytes()
  assert.ok(of(2).usedElsewhereBytes() > 1.5 * used)
  new UsageTable(table).publish(0, 0)
  assert.equal(second.usedElsewhereBytes(), 0)
})
