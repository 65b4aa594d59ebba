import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { LiveView, type Screen } from './live.ts'
import type { RouterSnapshot } from './snapshot.ts'

const snapshot = (uptimeMs: number): RouterSnapshot => ({
  uptimeMs,
  healthy: true,
  endpoints: [{ protocol: 'grpc', address: 'localhost:4317' }],
  pipelines: [
    { name: 'traces', signal: 'traces', in: uptimeMs, delivered: uptimeMs, refused: 0, dropped: 0, inFlight: 0 },
  ],
})

function view(screen: Partial<Screen>, env: Record<string, string> = {}) {
  const clock = new FakeClock()
  const written: string[] = []
  let takes = 0
  const live = new LiveView({
    screen: { ...screen, write: (text) => written.push(text) },
    clock,
    env,
    take: async () => {
      takes++
      return snapshot(clock.monotonic())
    },
  })
  return { live, clock, written, takes: () => takes }
}

/** Lets promises that are settled already go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('on a terminal it draws in place: the cursor goes back over what it drew', async () => {
  const { live, clock, written } = view({ isTTY: true, columns: 80, rows: 30 })
  await live.start()
  clock.advance(1_000)
  await turn()
  assert.equal(written.length, 2)
  const lines = written[0]!.split('\n').length - 1
  assert.ok(written[1]!.startsWith(`\x1b[${lines}F`), JSON.stringify(written[1]!.slice(0, 10)))
  live.stop()
  clock.advance(5_000)
  await turn()
  assert.equal(written.length, 2)
})

test('a terminal that is not high enough gets fewer lines, never more than fit', async () => {
  const { live, written } = view({ isTTY: true, columns: 80, rows: 8 })
  await live.start()
  live.stop()
  assert.ok(written[0]!.split('\n').length <= 8)
})

test('NO_COLOR takes the colors away', async () => {
  const colored = view({ isTTY: true })
  await colored.live.start()
  assert.ok(colored.written[0]!.includes('\x1b[1m'))
  const plain = view({ isTTY: true }, { NO_COLOR: '1' })
  await plain.live.start()
  assert.ok(!plain.written[0]!.includes('\x1b[1m') && !plain.written[0]!.includes('\x1b[32m'))
})

for (const [name, screen, env] of [
  ['a pipe', {}, {}],
  ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
] as const)
  test(`${name} gets plain lines every few seconds and no escape sequences`, async () => {
    const { live, clock, written } = view(screen, env)
    await live.start()
    assert.match(written.join(''), /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/localhost:4317/)
    clock.advance(5_000)
    await turn()
    assert.match(written.at(-1)!, /traces: in 1 000\/s, out 1 000\/s, refused 0, dropped 0/)
    assert.ok(!written.join('').includes('\x1b'))
    live.stop()
  })
