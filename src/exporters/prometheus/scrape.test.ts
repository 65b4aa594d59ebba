import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../graph/clock.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { Accumulator } from './accumulator.ts'
import { ChunkPool } from './chunks.ts'
import type { Choice } from './format.ts'
import { scrape } from './scrape.ts'
import { decodeFamilies } from './testing.ts'

const CHOICES: readonly Choice[] = [
  { form: 'text', escaping: 'underscores' },
  { form: 'openmetrics', version: '1.0.0', escaping: 'underscores' },
  { form: 'protobuf', escaping: 'underscores' },
]
const SERIES = 20_000

const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } })

/** A resource for each of `resources`, and a gauge with SERIES points in all. */
function shown(resources: number): Accumulator {
  const accumulator = new Accumulator({
    naming: { suffixes: true, utf8: false, namespace: '' },
    labels: { utf8: false, collapses: false },
    constLabels: [],
    withoutScopeInfo: true,
    takesAttribute: undefined,
    maxSeries: 0,
    seed: 1,
    onDropped: (reason) => assert.fail(reason),
  })
  const resourceMetrics = Array.from({ length: resources }, (_, r) => {
    const dataPoints = Array.from({ length: SERIES / resources }, (__, n) => ({
      asDouble: n / 8,
      attributes: [attribute('sensor', `sensor-${n}`)],
    }))
    const attributes = [attribute('service.name', 'press'), attribute('service.instance.id', `press-${r}`)]
    return { resource: { attributes }, scopeMetrics: [{ metrics: [{ name: 'speed', gauge: { dataPoints } }] }] }
  })
  accumulator.take(jsonToBytes('metrics', JSON.stringify({ resourceMetrics })), 0)
  return accumulator
}

/** A millisecond later with each look. */
class CountingClock implements Clock {
  looks = 0
  now = (): number => assert.fail('nobody asks for the time of day')
  after = (): never => assert.fail('nobody waits')
  every = (): never => assert.fail('nobody waits')
  monotonic(): number {
    return this.looks++
  }
}

async function read(
  accumulator: Accumulator,
  clock: Clock,
  choice: Choice,
  whenRead: (give: () => void) => void,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  const options = { choice, timestamps: false, targetName: 'target_info' }
  await scrape(accumulator, clock, new ChunkPool(), options, {
    begin() {},
    write(bytes, give) {
      chunks.push(bytes)
      whenRead(give)
      return true
    },
  })
  return Buffer.concat(chunks)
}

test('what a reader still holds is not written again', async () => {
  const accumulator = shown(1)
  for (const choice of CHOICES) {
    // Nothing is ever given back, so that all of it stands to the end.
    const bytes = await read(accumulator, new CountingClock(), choice, () => {})
    if (choice.form === 'protobuf') {
      const [family] = decodeFamilies(bytes)
      const sensors = family.metric.map(({ label }: { label: { value: string }[] }) => label[2]!.value)
      assert.equal(new Set(sensors).size, SERIES)
      continue
    }
    const lines = bytes.toString().split('\n')
    const samples = lines.filter((line) =>
      /^speed\{instance="press-0",job="press",sensor="sensor-\d+"\} [\d.]+$/.test(line),
    )
    assert.equal(new Set(samples).size, SERIES)
  }
})

test('a scrape looks at the clock every 16 KiB that it writes, in every form, and gives way after 3 ms', async () => {
  for (const resources of [1, SERIES]) {
    const accumulator = shown(resources)
    for (const choice of CHOICES) {
      const clock = new CountingClock()
      let turns = 0
      let isOver = false
      const turn = (): void => {
        turns++
        if (!isOver) setImmediate(turn)
      }
      setImmediate(turn)
      const { length } = await read(accumulator, clock, choice, (give) => give())
      isOver = true
      const looks = length / (16 * 1024)
      assert.ok(clock.looks > looks * 0.9, `${clock.looks} looks in ${length} bytes of ${choice.form}`)
      assert.ok(turns > looks / 5, `${turns} turns in ${length} bytes of ${choice.form}`)
    }
  }
})
