import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { batchOf, type Fate, type LogLine, memoryLogger, witness } from '../../test/support/harness.ts'
import { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import { MeterRegistry } from '../self/meter-registry.ts'
import { BALANCE } from './balance.ts'
import { LINK_BOUNDS, Links } from './links.ts'
import { makeLoadTable } from './load.ts'

const COUNT = 2

/** Two shards in this thread, joined as the supervisor joins threads. Shard 1 keeps what it takes in `taken`. */
function pair(t: TestContext) {
  const loads = makeLoadTable(COUNT)
  const clock = new FakeClock()
  const logs: LogLine[] = []
  const taken: { place: string; batch: Batch }[] = []
  const met = [0, 0]
  const all: Links[] = []
  const make = (index: number): Links => {
    const links = new Links({
      place: { index, count: COUNT, sharePorts: true, alone: false },
      loads,
      ends: [],
      clock,
      log: memoryLogger(logs),
      meter: new MeterRegistry('normal').meter(),
      met: (point) => {
        met[index] = point
        const reached = Math.min(...met)
        for (const one of all) one.goOn(reached)
      },
    })
    links.open((place, batch) => void taken.push({ place, batch }))
    all.push(links)
    t.after(() => links.close())
    return links
  }
  const one = make(0)
  const join = (other: Links): void => {
    const { port1, port2 } = new MessageChannel()
    one.link({ shard: 1, port: port1 })
    other.link({ shard: 0, port: port2 })
  }
  return { one, make, join, taken, clock, logs, loads: new Int32Array(loads) }
}

const logsOf = (body: string): object => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: body } }] }] }],
})

function numbered(body: string, waits = false): { batch: Batch; fate: Fate; bytes: Uint8Array } {
  const { delivery, fate } = witness(waits)
  const batch = batchOf('logs', logsOf(body), delivery, { address: '10.0.0.7:1', metadata: new Map([['site', ['a']]]) })
  return { batch, fate, bytes: Uint8Array.from(batch.parts[0]!) }
}

async function until(what: string, is: () => boolean): Promise<void> {
  const end = performance.now() + 5_000
  while (!is()) {
    assert.ok(performance.now() < end, `never ${what}`)
    await sleep(1)
  }
}

for (const keep of [true, false]) {
  const how = keep ? 'kept here too' : 'moved'
  test(`a batch that is handed over (${how}) arrives whole, and what becomes of it is heard here`, async (t) => {
    const { one, make, join, taken } = pair(t)
    join(make(1))
    const sent = ['a', 'b', 'c'].map((body) => numbered(body))
    for (const { batch } of sent) one.hand(1, 'exporter file', batch, keep)
    await until('taken', () => taken.length === 3)
    for (const [index, { place, batch }] of taken.entries()) {
      assert.equal(place, 'exporter file')
      assert.deepEqual(batch.parts, [sent[index]!.bytes])
      assert.deepEqual([batch.signal, batch.items, batch.client.address], ['logs', 1, '10.0.0.7:1'])
      assert.deepEqual(batch.client.metadata?.get('site'), ['a'])
    }
    taken[0]!.batch.delivery.accept()
    taken[1]!.batch.delivery.deliver()
    taken[2]!.batch.delivery.refuse(
      new DeliveryError('NEXT_HOP_REFUSED', 'no room', { retry: { afterMs: 700 }, grpcCode: 14 }),
    )
    await until('settled', () => sent[2]!.fate.refused !== undefined)
    assert.deepEqual(sent[0]!.fate, { accepted: true, delivered: false, refused: undefined })
    assert.deepEqual(sent[1]!.fate, { accepted: true, delivered: true, refused: undefined })
    const { code, message, retry, grpcCode } = sent[2]!.fate.refused!
    assert.deepEqual([code, message, retry, grpcCode], ['NEXT_HOP_REFUSED', 'no room', { afterMs: 700 }, 14])
    taken[0]!.batch.delivery.deliver()
    await until('delivered', () => sent[0]!.fate.delivered)
  })
}

test('a batch whose sender waits for delivery waits across the shards too', async (t) => {
  const { one, make, join, taken } = pair(t)
  join(make(1))
  const { batch, fate } = numbered('a', true)
  one.hand(1, 'place', batch, true)
  await until('taken', () => taken.length === 1)
  taken[0]!.batch.delivery.accept()
  await sleep(10)
  assert.equal(fate.accepted, false)
  taken[0]!.batch.delivery.deliver()
  await until('delivered', () => fate.delivered)
})

test('what a shard had not accepted when it died is handed to it again, in its order, once it runs again', async (t) => {
  const { one, make, join, taken } = pair(t)
  const first = make(1)
  join(first)
  const sent = ['a', 'b', 'c'].map((body) => numbered(body))
  one.hand(1, 'place', sent[0]!.batch, true)
  one.hand(1, 'place', sent[1]!.batch, true)
  await until('taken', () => taken.length === 2)
  first.close()
  // Its death is heard of a moment later: by then more may have come.
  await sleep(20)
  one.hand(1, 'place', sent[2]!.batch, true)
  taken.length = 0
  join(make(1))
  await until('taken again', () => taken.length === 3)
  assert.deepEqual(
    taken.map(({ batch }) => batch.parts[0]),
    sent.map(({ bytes }) => bytes),
  )
  for (const { batch } of taken) batch.delivery.deliver()
  await until('delivered', () => sent.every(({ fate }) => fate.delivered))
})

test('what was moved to a shard that died is refused for its sender to send again; what it had accepted is lost and said', async (t) => {
  const { one, make, join, taken, logs } = pair(t)
  const first = make(1)
  join(first)
  const moved = numbered('a')
  const accepted = numbered('b')
  one.hand(1, 'place', moved.batch, false)
  one.hand(1, 'place', accepted.batch, true)
  await until('taken', () => taken.length === 2)
  taken[1]!.batch.delivery.accept()
  await until('accepted', () => accepted.fate.accepted)
  first.close()
  await until('refused', () => moved.fate.refused !== undefined && accepted.fate.refused !== undefined)
  assert.deepEqual([moved.fate.refused!.code, moved.fate.refused!.retry], ['SHARD_DIED', 'backoff'])
  assert.deepEqual([accepted.fate.refused!.code, accepted.fate.refused!.retry], ['SHARD_DIED', 'never'])
  const line = logs.find(({ message }) => message === 'A shard died with what it had taken off this one.')
  assert.deepEqual(line?.fields, { shard: 1, dropped_items: 1 })
})

test('bytes that another shard has accepted are held there alone, however long it takes to deliver them', async (t) => {
  const { one, make, join, taken } = pair(t)
  join(make(1))
  const hand = (): { fate: Fate; bytes: WeakRef<Uint8Array> } => {
    const { batch, fate } = numbered('a')
    one.hand(1, 'place', batch, true)
    return { fate, bytes: new WeakRef(batch.parts[0]!) }
  }
  const { fate, bytes } = hand()
  await until('taken', () => taken.length === 1)
  taken[0]!.batch.delivery.accept()
  await until('accepted', () => fate.accepted)
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  await until('given back', () => {
    collect()
    return bytes.deref() === undefined
  })
  assert.equal(fate.delivered, false)
})

test('a busy shard keeps requests itself once the other has many, or large ones, to accept; nobody is refused', async (t) => {
  for (const [bytes, most] of [
    [10, BALANCE.outstandingMax],
    [2 ** 20, LINK_BOUNDS.handedBytes / 2 / 2 ** 20],
  ] as const) {
    const { one, make, join, clock, loads } = pair(t)
    join(make(1))
    await sleep(1)
    one.relief()
    // It works all the time, the other not at all.
    for (let tick = 0; tick < 100; tick++) {
      const until = performance.now() + 1
      while (performance.now() < until);
      clock.advance(50)
      Atomics.store(loads, 1, 0)
      one.relief()
    }
    const fates: Fate[] = []
    for (let tries = 0; tries < 2000; tries++) {
      if (one.relief() === undefined) continue
      const { batch, fate } = numbered('x'.repeat(bytes))
      one.hand(1, 'receiver otlp', batch, false)
      fates.push(fate)
    }
    assert.equal(fates.length, most)
    assert.ok(fates.every(({ refused }) => refused === undefined))
  }
})

test('batches wait for a shard that starts again only so long, and only so many', async (t) => {
  const { one, clock } = pair(t)
  const small = numbered('a')
  one.hand(1, 'place', small.batch, true)
  const large = numbered('x'.repeat(LINK_BOUNDS.handedBytes))
  one.hand(1, 'place', large.batch, true)
  assert.equal(large.fate.refused?.code, 'SHARD_BUSY')
  assert.ok(!small.batch.delivery.settled)
  clock.advance(LINK_BOUNDS.waitMs)
  assert.equal(small.fate.refused?.code, 'SHARD_DIED')
})

test('shards meet when the last of them has come, with everything taken that was handed over before', async (t) => {
  const { one, make, join, taken } = pair(t)
  const two = make(1)
  join(two)
  const over = new Set<string>()
  for (let i = 0; i < 50; i++) one.hand(1, 'place', numbered(String(i)).batch, true)
  const first = one.meet().then(() => void over.add(`one, ${taken.length} taken`))
  await sleep(20)
  assert.equal(over.size, 0)
  await Promise.all([first, two.meet().then(() => void over.add(`two, ${taken.length} taken`))])
  assert.deepEqual([...over].sort(), ['one, 50 taken', 'two, 50 taken'])
})
