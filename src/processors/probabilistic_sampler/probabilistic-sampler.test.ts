import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { harness } from '../../../test/support/harness.ts'
import { bytesToJson, jsonToBytes } from '../../otlp/json/index.ts'
import { Bits, setThreshold, textOf, writeRandomness, writeThreshold } from './bits.ts'
import { factory } from './factory.ts'
import { hashOf, hashOfSeed, setRandomness } from './hash.ts'

// reference/otelcol-processors.md 2.5
const IDS = {
  '0102030405060708090a0b0c0d0e0f10': { bucket: 6693, seed22: 13379, rv: '976837c4f25a25' },
  '00000000000000000000000000000001': { bucket: 8898, seed22: 11568, rv: '74f42e348fe2c2' },
  '4bf92f3577b34da6a3ce929d0e0e4736': { bucket: 141, seed22: 12395, rv: 'fdc80d0b42008d' },
  ffffffffffffffffffffffffffffffff: { bucket: 5445, seed22: 9651, rv: 'aae80a44919545' },
  '5b8efff798038103d269b633813fc60c': { bucket: 5855, seed22: 3273, rv: 'a480091545d6df' },
} as const
const PERCENTAGES: readonly (readonly [number, string, string])[] = [
  [0.01, 'fffc', 'fff9724'],
  [0.1, 'ffc', 'ffbe77'],
  [1, 'fd74', 'fd70a'],
  [5, 'f334', 'f3333'],
  [10, 'e668', 'e666'],
  [15, 'd99c', 'd99a'],
  [25, 'c', 'c'],
  [33.3, 'aac4', 'aac1'],
  [50, '8', '8'],
  [75, '4', '4'],
  [99, '029', '028f6'],
  [100, '0', '0'],
]

interface Item {
  readonly traceId?: string
  readonly traceState?: string
  readonly name?: string
  readonly attributes?: readonly { readonly key: string; readonly value: object }[]
}

const request = (...items: readonly Item[]): object => ({ resourceSpans: [{ scopeSpans: [{ spans: items }] }] })
const records = (...items: readonly Item[]): object => ({ resourceLogs: [{ scopeLogs: [{ logRecords: items }] }] })
const attribute = (key: string, value: object): { key: string; value: object } => ({ key, value })
const text = (key: string, stringValue: string): { key: string; value: object } => attribute(key, { stringValue })
const withR = (rv: string): Item => ({ traceId: `${'0'.repeat(18)}${rv}` })

/** What is left of spans, in words. */
async function sample(t: TestContext, config: object, ...items: readonly Item[]): Promise<Item[]> {
  const { push, sent } = await harness(t, factory, config, { settle: 'deliver' })
  assert.ok(push(request(...items)).delivered)
  return sent.flatMap((batch) => {
    const out = JSON.parse(bytesToJson('traces', batch.parts)) as {
      resourceSpans: { scopeSpans: { spans: Item[] }[] }[]
    }
    const left = out.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans))
    assert.equal(batch.items, left.length)
    return left
  })
}

async function sampleLogs(
  t: TestContext,
  config: object,
  ...items: readonly Item[]
): Promise<Record<string, string>[]> {
  const { push, sent } = await harness(t, factory, config, { signal: 'logs', settle: 'deliver' })
  assert.ok(push(records(...items)).delivered)
  return sent.flatMap((batch) => {
    const out = JSON.parse(bytesToJson('logs', batch.parts)) as {
      resourceLogs: { scopeLogs: { logRecords: Item[] }[] }[]
    }
    return out.resourceLogs.flatMap((r) =>
      r.scopeLogs.flatMap((s) =>
        s.logRecords.map(({ attributes = [] }) =>
          Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])])),
        ),
      ),
    )
  })
}

const states = (items: readonly Item[]): (string | undefined)[] => items.map(({ traceState }) => traceState)

test('hash_seed: buckets and randomness of trace ids are those of the Collector', () => {
  for (const [id, { bucket, seed22, rv }] of Object.entries(IDS)) {
    const bytes = Buffer.from(id, 'hex')
    const hash = hashOf(hashOfSeed(0), bytes, 0, 16)
    assert.equal(hash & 0x3fff, bucket, id)
    assert.equal(hashOf(hashOfSeed(22), bytes, 0, 16) & 0x3fff, seed22, id)
    const randomness = new Bits()
    setRandomness(randomness, hash)
    assert.equal(textOf(writeRandomness, randomness), rv, id)
  }
})

for (const [percentage, hashed, threshold] of PERCENTAGES) {
  test(`${percentage} %: thresholds are the Collector's in each mode`, async (t) => {
    // Keeps in every mode: a hash in bucket 0 is not at hand, so the others show what is written.
    const most = withR('ffffffffffffff')
    const config = { sampling_percentage: percentage }
    assert.deepEqual(states(await sample(t, { ...config, mode: 'proportional' }, most)), [`ot=th:${threshold}`])
    assert.deepEqual(states(await sample(t, { ...config, mode: 'equalizing' }, most)), [`ot=th:${threshold}`])
    const kept = await sample(t, config, ...Object.keys(IDS).map((traceId) => ({ traceId })))
    const expected = Object.values(IDS).filter(({ bucket }) => bucket < Math.trunc(Math.fround(percentage) * 163.84))
    assert.deepEqual(
      states(kept),
      expected.map(({ rv }) => `ot=rv:${rv};th:${hashed}`),
    )
  })
}

test('an item stays when its randomness reaches the threshold, and not one below it', async (t) => {
  const config = { mode: 'equalizing', sampling_percentage: 25 }
  assert.deepEqual(states(await sample(t, config, withR('c0000000000000'), withR('bfffffffffffff'))), ['ot=th:c'])
})

test('proportional: the probability that came is multiplied, and what falls below 2^-56 goes', async (t) => {
  const config = { mode: 'proportional', sampling_percentage: 50 }
  const of = (traceState: string): Item => ({ ...withR('ffffffffffffff'), traceState })
  const left = await sample(t, config, of('ot=th:8'), of('ot=th:c'), of('ot=th:ffffffffffffff'))
  assert.deepEqual(states(left), ['ot=th:c', 'ot=th:e'])
})

test('equalizing: a higher threshold that came stays', async (t) => {
  const config = { mode: 'equalizing', sampling_percentage: 50 }
  const of = (traceState: string): Item => ({ ...withR('ffffffffffffff'), traceState })
  const left = await sample(t, config, of('ot=th:E00'), of('ot=th:4'), of('ot=th:8'))
  assert.deepEqual(states(left), ['ot=th:e', 'ot=th:8', 'ot=th:8'])
})

test('the tracestate is written with ot, rv and th first and everything else in its order', async (t) => {
  const config = { mode: 'equalizing', sampling_percentage: 50 }
  const traceState = ' congo=t61rcWkgMzE ,, tenant@sys=a b,ot=p:x;th:4;rv:F0000000000000;q:-._ '
  const [span] = await sample(t, config, { traceId: '1'.repeat(32), traceState })
  assert.equal(span!.traceState, 'ot=rv:F0000000000000;th:8;p:x;q:-._,congo=t61rcWkgMzE,tenant@sys=a b')
})

test('a long tracestate is written with its length', async (t) => {
  const rest = Array.from({ length: 20 }, (_, i) => `vendor${i}=${'v'.repeat(30)}`).join(',')
  const [span] = await sample(
    t,
    { mode: 'equalizing', sampling_percentage: 50 },
    { ...withR('ffffffffffffff'), traceState: rest },
  )
  assert.equal(span!.traceState, `ot=th:8,${rest}`)
})

test('what cannot be decided is dropped, and with fail_closed off it stays', async (t) => {
  const random = withR('ffffffffffffff')
  const wrong = {
    'no tracestate': [{ ...random, traceState: 'no tracestate' }, 'no tracestate'],
    'rv that is too short': [{ ...random, traceState: 'ot=rv:12' }, 'ot=rv:12'],
    'th that is no number': [{ ...random, traceState: 'ot=th:xyz' }, 'ot=th:xyz'],
    'a threshold above the randomness': [
      { ...withR('70000000000000'), traceState: 'ot=th:8;k:v,a=b' },
      'ot=th:0;k:v,a=b',
    ],
    'no trace id': [{ traceId: '' }, 'ot=th:0'],
    'a trace id of zeros': [{ traceId: '0'.repeat(32) }, 'ot=th:0'],
  } as const
  for (const [name, [item, state]] of Object.entries(wrong)) {
    const config = { mode: 'proportional', sampling_percentage: 99 }
    assert.deepEqual(await sample(t, config, item), [], name)
    assert.deepEqual(states(await sample(t, { ...config, fail_closed: false }, item)), [state], name)
  }
})

test('hash_seed: a span that comes sampled is dropped, and with fail_closed off it stays untouched', async (t) => {
  const item = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
  for (const traceState of ['ot=th:8', 'ot=rv:ffffffffffffff', 'a=b,ot=th:8']) {
    assert.deepEqual(await sample(t, { sampling_percentage: 100 }, { ...item, traceState }), [])
    const open = await sample(t, { sampling_percentage: 100, fail_closed: false }, { ...item, traceState })
    assert.deepEqual(states(open), [traceState])
  }
  const other = await sample(t, { sampling_percentage: 100 }, { ...item, traceState: 'a=b' })
  assert.deepEqual(states(other), ['ot=rv:fdc80d0b42008d;th:0,a=b'])
})

test('sampling.priority: 0 drops, above 0 keeps, everything else leaves it to the mode', async (t) => {
  const of = (value: object): Item => ({
    ...withR('00000000000001'),
    attributes: [attribute('sampling.priority', value)],
  })
  const keeps = [{ intValue: '1' }, { doubleValue: 0.5 }, { stringValue: '1e3' }, { stringValue: '+Inf' }]
  const drops = [{ intValue: '0' }, { doubleValue: 0 }, { stringValue: '0.0' }]
  const defers = [
    { intValue: '-1' },
    { stringValue: 'yes' },
    { boolValue: true },
    { stringValue: '-1' },
    { stringValue: '' },
  ]
  for (const mode of ['equalizing', 'proportional']) {
    const kept = await sample(t, { mode, sampling_percentage: 1 }, ...keeps.map(of))
    assert.deepEqual(
      states(kept),
      keeps.map(() => 'ot=th:0'),
    )
    assert.deepEqual(await sample(t, { mode, sampling_percentage: 100 }, ...drops.map(of)), [])
    assert.equal((await sample(t, { mode, sampling_percentage: 100 }, ...defers.map(of))).length, defers.length)
    assert.deepEqual(await sample(t, { mode, sampling_percentage: 1 }, ...defers.map(of)), [])
  }
  // At 0 % there is no randomness to write.
  assert.deepEqual(states(await sample(t, {}, of({ intValue: '1' }))), ['ot=th:0'])
  assert.deepEqual(await sample(t, {}, withR('ffffffffffffff')), [])
  // Nor is the tracestate asked for: of one that cannot be read, what can be stays.
  const broken = ['ot=rv:12;th:E00,a=b', 'a=b,ot=p:8;th:xyz', 'a=b,ot=p', 'no tracestate']
  const kept = await sample(t, {}, ...broken.map((traceState) => ({ ...of({ intValue: '1' }), traceState })))
  assert.deepEqual(states(kept), ['ot=th:E00,a=b', 'ot=th:0;p:8,a=b', 'ot=th:0,a=b', 'ot=th:0'])
})

test('scopes and resources that nothing stays in go, and a batch of which nothing stays is delivered', async (t) => {
  const { push, sent, metric } = await harness(
    t,
    factory,
    { mode: 'equalizing', sampling_percentage: 50 },
    { settle: 'deliver' },
  )
  const [stays, goes] = [withR('ffffffffffffff'), withR('00000000000001')]
  const scope = (...spans: readonly Item[]): object => ({ spans })
  const resource = (name: string, ...scopeSpans: readonly object[]): object => ({
    resource: { attributes: [text('service.name', name)] },
    scopeSpans,
  })
  const fate = push({
    resourceSpans: [
      resource('gone', scope(goes, goes), scope(goes)),
      resource('left', scope(goes), scope(goes, stays, goes, goes, stays, goes), scope(), scope(goes)),
      resource('empty'),
      resource('whole', scope(stays)),
      resource('gone too', scope(goes)),
    ],
  })
  assert.ok(fate.delivered)
  const kept = { ...stays, traceState: 'ot=th:8' }
  assert.deepEqual(JSON.parse(bytesToJson('traces', sent[0]!.parts)), {
    resourceSpans: [resource('left', scope(kept, kept)), resource('whole', scope(kept))],
  })
  assert.equal(sent[0]!.items, 3)
  assert.ok(push(request(goes)).delivered)
  assert.equal(sent.length, 1)
  assert.equal(
    metric('processor_probabilistic_sampler_count_traces_sampled', { policy: 'trace_id_w3c', sampled: 'true' }),
    3,
  )
  assert.equal(
    metric('processor_probabilistic_sampler_count_traces_sampled', { policy: 'trace_id_w3c', sampled: 'false' }),
    11,
  )
})

test('an untouched batch passes as the same bytes', async (t) => {
  const { push, sent } = await harness(
    t,
    factory,
    { mode: 'equalizing', sampling_percentage: 50 },
    { settle: 'deliver' },
  )
  const bytes = jsonToBytes('traces', JSON.stringify(request({ ...withR('ffffffffffffff'), traceState: 'ot=th:8' })))
  push(bytes)
  assert.equal(sent[0]!.parts[0], bytes)
})

test('logs: hash_seed writes randomness and threshold into attributes', async (t) => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const [record] = await sampleLogs(t, { sampling_percentage: 10 }, { traceId, attributes: [text('a', 'b')] })
  assert.deepEqual(Object.entries(record!), [
    ['a', 'b'],
    ['sampling.randomness', 'fdc80d0b42008d'],
    ['sampling.threshold', 'e668'],
  ])
  // Values that are no texts are not taken for ours, and overwritten where they stand.
  const odd = { traceId, attributes: [attribute('sampling.threshold', { intValue: '8' }), text('a', 'b')] }
  assert.deepEqual(Object.keys((await sampleLogs(t, { sampling_percentage: 10 }, odd))[0]!), [
    'sampling.threshold',
    'a',
    'sampling.randomness',
  ])
})

test('logs: a record without a trace id is dropped, and stays with fail_closed off', async (t) => {
  for (const mode of ['hash_seed', 'equalizing', 'proportional']) {
    const config = { mode, sampling_percentage: 50 }
    assert.deepEqual(await sampleLogs(t, config, {}), [])
    assert.deepEqual(await sampleLogs(t, { ...config, fail_closed: false }, {}), [{ 'sampling.threshold': '0' }])
  }
})

test('logs: the attribute named by from_attribute is hashed, where there is no trace id or it is not asked for', async (t) => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const id = Buffer.from(traceId, 'hex').toString('base64')
  const rv = IDS[traceId].rv
  const config = { sampling_percentage: 100, from_attribute: 'order' }
  const bytes = { attributes: [attribute('order', { bytesValue: id })] }
  assert.equal((await sampleLogs(t, config, bytes))[0]!['sampling.randomness'], rv)
  const both = { traceId: 'f'.repeat(32), ...bytes }
  assert.equal((await sampleLogs(t, config, both))[0]!['sampling.randomness'], IDS.ffffffffffffffffffffffffffffffff.rv)
  assert.equal((await sampleLogs(t, { ...config, attribute_source: 'record' }, both))[0]!['sampling.randomness'], rv)
  // Numbers as their text; an empty text is nothing to hash.
  const [number, words] = await sampleLogs(
    t,
    config,
    { attributes: [attribute('order', { intValue: '17' })] },
    { attributes: [text('order', '17')] },
  )
  assert.equal(number!['sampling.randomness'], words!['sampling.randomness'])
  assert.deepEqual(await sampleLogs(t, config, { attributes: [text('order', '')] }), [])
})

test('logs: randomness and threshold that came are obeyed, and a threshold that cannot be true is renewed', async (t) => {
  const traceId = '1'.repeat(32)
  const of = (rv: string, th: string): Item => ({
    traceId,
    attributes: [text('sampling.threshold', th), text('sampling.randomness', rv), text('x', 'y')],
  })
  const config = { mode: 'proportional', sampling_percentage: 50 }
  const left = await sampleLogs(t, config, of('ffffffffffffff', '8'), of('80000000000000', '8'))
  assert.deepEqual(left, [{ 'sampling.threshold': 'c', 'sampling.randomness': 'ffffffffffffff', x: 'y' }])
  const untrue = of('00000000000001', '8')
  assert.deepEqual(await sampleLogs(t, config, untrue), [])
  const open = await sampleLogs(t, { ...config, fail_closed: false }, untrue)
  assert.deepEqual(Object.entries(open[0]!), [
    ['sampling.randomness', '00000000000001'],
    ['x', 'y'],
    ['sampling.threshold', '0'],
  ])
})

test('logs: the attribute named by sampling_priority is the percentage of its record', async (t) => {
  const config = { sampling_percentage: 0, sampling_priority: 'priority' }
  const of = (value: object): Item => ({ ...withR('ffffffffffffff'), attributes: [attribute('priority', value)] })
  const left = await sampleLogs(
    t,
    config,
    of({ intValue: '99' }),
    of({ doubleValue: 30 }),
    of({ intValue: '0' }),
    of({ stringValue: '99' }),
  )
  assert.deepEqual(
    left.map((record) => record['sampling.threshold']),
    ['028f6', 'b333'],
  )
  const { push, metric } = await harness(t, factory, config, { signal: 'logs', settle: 'deliver' })
  push(records(of({ intValue: '99' })))
  assert.equal(
    metric('processor_probabilistic_sampler_count_logs_sampled', { policy: 'sampling_priority', sampled: 'true' }),
    1,
  )
})

test('thresholds are rounded at the last digit, halves up, with more digits near 0 and 1', () => {
  const of = (probability: number, precision: number): string => {
    const threshold = new Bits()
    assert.ok(setThreshold(threshold, probability, precision))
    return textOf(writeThreshold, threshold)
  }
  for (let precision = 1; precision <= 14; precision++) {
    for (const probability of [1 / 3, 0.1, 2 ** -10, 1 - 2 ** -10, 2 ** -40, 2 ** -56, 0.999999, 1e-7]) {
      // The same in whole numbers of any size.
      const zeros = (fraction: number): number => Math.floor(-Math.min(0, Math.floor(Math.log2(fraction)) + 1) / 4)
      const digits = Math.min(14, precision + Math.max(zeros(probability), zeros(1 - probability)))
      const unit = 16n ** BigInt(14 - digits)
      const exact = 2n ** 56n - BigInt(Math.round(probability * 2 ** 56))
      const rounded = ((exact + unit / 2n) / unit) * unit
      const expected = rounded
        .toString(16)
        .padStart(14, '0')
        .replace(/(?!^)0+$/, '')
      assert.equal(of(probability, precision), expected, `${probability} in ${precision} digits`)
    }
  }
  assert.equal(setThreshold(new Bits(), 2 ** -57, 4), false)
  assert.equal(setThreshold(new Bits(), 1.01, 4), false)
  assert.equal(setThreshold(new Bits(), Number.NaN, 4), false)
})
