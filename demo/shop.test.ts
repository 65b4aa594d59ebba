import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOtlpRecorder } from '../test/support/otlp-recorder.ts'
import { startShop } from './shop.ts'

const SERVICES = { storefront: 'grpc', orders: 'http/protobuf', payments: 'http/json' } as const

// biome-ignore lint/suspicious/noExplicitAny: requests as plain objects, in protobuf's names and in JSON's alike
const resourcesOf = ({ request }: { request: any }): any[] =>
  request.resourceSpans ?? request.resourceMetrics ?? request.resourceLogs

test('the shop sends traces, metrics and logs, each of its services over a protocol of its own', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const shop = await startShop({
    grpcEndpoint: `http://${recorder.grpcAddress}`,
    httpEndpoint: `http://${recorder.httpAddress}`,
    shoppersPerSecond: 40,
    exportEveryMs: 100,
    // No slow bank and no declined card, whatever is asked; every other shopper only browses.
    random: (() => {
      let turn = 0
      return () => (turn++ % 2 === 0 ? 0.45 : 0.95)
    })(),
  })
  t.after(() => shop.stop())
  const seen = (): Set<string> =>
    new Set(
      recorder.requests.flatMap((recorded) =>
        resourcesOf(recorded).map((resource) => {
          const name = resource.resource.attributes.find(({ key }: { key: string }) => key === 'service.name')
          return `${name.value.stringValue} ${recorded.signal} ${recorded.protocol}`
        }),
      ),
    )
  // The storefront logs only what went wrong.
  const expected = Object.entries(SERVICES).flatMap(([service, protocol]) =>
    ['traces', 'metrics', ...(service === 'storefront' ? [] : ['logs'])].map(
      (signal) => `${service} ${signal} ${protocol}`,
    ),
  )
  const until = performance.now() + 8_000
  while (expected.some((line) => !seen().has(line)) && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50))
  await shop.stop()
  assert.deepEqual([...seen()].sort(), [...expected].sort())
})

test('one shopper makes one trace through all three services', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const shop = await startShop({
    grpcEndpoint: `http://${recorder.grpcAddress}`,
    httpEndpoint: `http://${recorder.httpAddress}`,
    shoppersPerSecond: 0.01,
    exportEveryMs: 60_000,
    random: () => 0.6,
  })
  await shop.stop()
  const hex = (id: Uint8Array | string | undefined): string =>
    typeof id === 'string' ? id : Buffer.from(id ?? []).toString('hex')
  const spans = recorder.requests
    .filter(({ signal }) => signal === 'traces')
    .flatMap(resourcesOf)
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .flatMap(({ scopeSpans }: any) => scopeSpans.flatMap((scope: any) => scope.spans))
    .map((span) => ({
      trace: hex(span.traceId),
      id: hex(span.spanId),
      parent: hex(span.parentSpanId),
      name: span.name,
    }))
  assert.deepEqual(spans.map(({ name }) => name).sort(), [
    'INSERT orders',
    'POST /checkout/{id}',
    'POST /orders/{id}',
    'POST /orders/{id}',
    'POST /payments/{id}',
    'POST /payments/{id}',
    'SELECT stock',
    'ask the bank',
    'check fraud rules',
    'read cart',
    'render page',
  ])
  assert.equal(new Set(spans.map(({ trace }) => trace)).size, 1)
  const ids = new Set(spans.map(({ id }) => id))
  assert.deepEqual(
    spans.filter(({ parent }) => !ids.has(parent)).map(({ name }) => name),
    ['POST /checkout/{id}'],
  )
})
