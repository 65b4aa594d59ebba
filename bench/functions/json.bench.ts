// OTLP/JSON at the edges: what the text costs on its way in and out, next to what the runtime's own parser costs
// before anything is done with the objects it makes.

import { bytesToJsonBytes, jsonToBytes } from '../../src/otlp/json/index.ts'
import { bench } from './harness.ts'

const SPANS = 1000

interface Texts {
  readonly json: Buffer
  readonly protobuf: Uint8Array
}

/** Spans as an SDK sends them: ten attributes, some 430 bytes each in protobuf. */
function setup(): Texts {
  const spans = Array.from({ length: SPANS }, (_, index) => {
    const hex = (digits: number, salt: number): string =>
      (BigInt(index + 1) * BigInt(salt) * 0x9e3779b97f4a7c15n).toString(16).slice(-digits).padStart(digits, 'a')
    const start = 1_760_000_000_000_000_000n + BigInt(index) * 1_234_567n
    return {
      traceId: hex(16, 3) + hex(16, 5),
      spanId: hex(16, 7),
      parentSpanId: hex(16, 11),
      name: 'POST /api/orders/:id',
      kind: 2,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + 3_456_789n),
      attributes: [
        { key: 'http.request.method', value: { stringValue: 'POST' } },
        { key: 'url.path', value: { stringValue: `/api/orders/${index}` } },
        { key: 'http.response.status_code', value: { intValue: '200' } },
        { key: 'server.address', value: { stringValue: 'orders.plant-7.example' } },
        { key: 'server.port', value: { intValue: '8443' } },
        { key: 'user_agent.original', value: { stringValue: 'okhttp/4.12.0' } },
        { key: 'network.protocol.version', value: { stringValue: '1.1' } },
        { key: 'order.total', value: { doubleValue: 12.5 + index } },
        { key: 'order.express', value: { boolValue: index % 2 === 0 } },
        { key: 'client.address', value: { stringValue: `10.0.${index % 256}.17` } },
      ],
      status: { code: index % 50 === 0 ? 2 : 0 },
    }
  })
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] }
  const scope = { name: '@opentelemetry/instrumentation-http', version: '0.301.0' }
  const json = Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] }))
  return { json, protobuf: jsonToBytes('traces', json) }
}

const jsonBytes = (texts: Texts): number => texts.json.length

export default [
  bench({
    name: 'json/spans-in',
    items: SPANS,
    bytes: jsonBytes,
    setup,
    run: ({ json }) => jsonToBytes('traces', json),
  }),
  bench({
    name: 'json/spans-out',
    items: SPANS,
    bytes: jsonBytes,
    setup,
    run: ({ protobuf }) => bytesToJsonBytes('traces', [protobuf]),
  }),
  bench({
    name: 'json/spans-JSON.parse-alone',
    items: SPANS,
    bytes: jsonBytes,
    setup,
    run: ({ json }) => JSON.parse(json.toString()),
  }),
]
