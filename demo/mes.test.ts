import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicMessage } from '../src/plant/messages.ts'
import { Plant } from '../src/plant/plant.ts'
import { readScenario } from '../src/plant/scenario.ts'
import { SMALL_PLANT } from '../src/plant/small-plant.ts'
import { startOtlpRecorder } from '../test/support/otlp-recorder.ts'
import { type ShopFloorEvent, startMes } from './mes.ts'

const SERVICES = { mes: 'grpc', quality: 'http/protobuf', warehouse: 'http/json' } as const

const EVENT = { device_id: 'cnc-01', order_number: 'WO-1', product_code: 'shaft-20' }
const PIECE: ShopFloorEvent = { ...EVENT, serial: 1, result: 'pass' }
const ORDER: ShopFloorEvent = { ...EVENT, event: 'started', quantity: 12, produced: 0, scrap: 0 }

// biome-ignore lint/suspicious/noExplicitAny: requests as plain objects, in protobuf's names and in JSON's alike
const resourcesOf = ({ request }: { request: any }): any[] =>
  request.resourceSpans ?? request.resourceMetrics ?? request.resourceLogs

test('the MES sends traces, metrics and logs, each of its services over a protocol of its own', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const mes = await startMes({
    grpcEndpoint: `http://${recorder.grpcAddress}`,
    httpEndpoint: `http://${recorder.httpAddress}`,
    random: () => 0.5,
  })
  mes.take(PIECE)
  mes.take(ORDER)
  await mes.stop()
  const seen = new Set(
    recorder.requests.flatMap((recorded) =>
      resourcesOf(recorded).map((resource) => {
        const name = resource.resource.attributes.find(({ key }: { key: string }) => key === 'service.name')
        return `${name.value.stringValue} ${recorded.signal} ${recorded.protocol}`
      }),
    ),
  )
  const expected = Object.entries(SERVICES).flatMap(([service, protocol]) =>
    ['traces', 'metrics', 'logs'].map((signal) => `${service} ${signal} ${protocol}`),
  )
  assert.deepEqual([...seen].sort(), expected.sort())
})

for (const { words, event, names } of [
  {
    words: 'a good piece',
    event: PIECE,
    names: ['POST /pieces/{id}/pass', 'book piece', 'check tolerances', 'INSERT inspections', 'read order'],
  },
  {
    words: 'a piece that is no good',
    event: { ...PIECE, result: 'fail' as const },
    names: ['POST /pieces/{id}/fail', 'book scrap', 'check tolerances', 'INSERT inspections', 'read order'],
  },
  {
    words: 'an order that begins',
    event: ORDER,
    names: ['POST /orders/{id}/started', 'update order', 'SELECT stock', 'INSERT movements', 'read order'],
  },
])
  test(`${words} makes one trace through the services, which names its order and its machine`, async (t) => {
    const recorder = await startOtlpRecorder(t)
    const mes = await startMes({
      grpcEndpoint: `http://${recorder.grpcAddress}`,
      httpEndpoint: `http://${recorder.httpAddress}`,
      exportEveryMs: 60_000,
      random: () => 0.6,
    })
    mes.take(event)
    await mes.stop()
    const hex = (id: Uint8Array | string | undefined): string =>
      typeof id === 'string' ? id : Buffer.from(id ?? []).toString('hex')
    const spans = recorder.requests
      .filter(({ signal }) => signal === 'traces')
      .flatMap(resourcesOf)
      // biome-ignore lint/suspicious/noExplicitAny: as above
      .flatMap(({ scopeSpans }: any) => scopeSpans.flatMap((scope: any) => scope.spans))
    assert.deepEqual([...new Set(spans.map(({ name }) => name))].sort(), [...names].sort())
    assert.equal(new Set(spans.map(({ traceId }) => hex(traceId))).size, 1)
    const ids = new Set(spans.map(({ spanId }) => hex(spanId)))
    assert.equal(spans.filter(({ parentSpanId }) => !ids.has(hex(parentSpanId))).length, 1)
    // SERVER is 2 in protobuf and in JSON.
    const servers = spans.filter(({ kind }) => kind === 2 || kind === 'SPAN_KIND_SERVER')
    assert.equal(servers.length, 2)
    for (const { attributes } of servers)
      for (const [key, value] of [
        ['device.id', 'cnc-01'],
        ['manufacturing.work_order.id', 'WO-1'],
      ])
        assert.equal(attributes.find((one: { key: string }) => one.key === key)?.value.stringValue, value)
  })

test('the orders and machines of the traces are those of the readings of the plant, and no others', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const mes = await startMes({
    grpcEndpoint: `http://${recorder.grpcAddress}`,
    httpEndpoint: `http://${recorder.httpAddress}`,
    exportEveryMs: 60_000,
    random: () => 0.6,
  })
  const plant = new Plant({ scenario: readScenario(SMALL_PLANT, 'small-plant.yaml'), startMs: Date.UTC(2026, 0, 5, 6) })
  const told = new Set<string>()
  plant.advance(Date.UTC(2026, 0, 5, 6, 1), (event) => {
    if (event.kind !== 'message') return
    const { topic, payload } = topicMessage(event)
    if (!/^(orders|quality)\//.test(topic)) return
    const body = JSON.parse(payload)
    told.add(`${body.device_id} ${body.order_number} ${body.product_code}`)
    mes.take(body)
  })
  await mes.stop()
  const traced = new Set<string>()
  for (const recorded of recorder.requests.filter(({ signal }) => signal === 'traces'))
    for (const { scopeSpans } of resourcesOf(recorded)) {
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const spans = scopeSpans.flatMap((scope: any) => scope.spans)
      for (const { kind, attributes } of spans) {
        if (kind !== 2 && kind !== 'SPAN_KIND_SERVER') continue
        const valueAt = (key: string): string =>
          attributes.find((one: { key: string }) => one.key === key)?.value.stringValue
        const order = valueAt('manufacturing.work_order.id')
        traced.add(`${valueAt('device.id')} ${order} ${valueAt('manufacturing.product.code')}`)
      }
    }
  assert.ok(told.size >= 5)
  assert.deepEqual([...traced].sort(), [...told].sort())
})
