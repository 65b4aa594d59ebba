// Spans to a real Jaeger, by OTLP and by its own gRPC, read back through its own API and compared value by value.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { factory as jaegerExporter } from '../../src/exporters/jaeger/factory.ts'
import { factory as otlpExporter } from '../../src/exporters/otlp_grpc/factory.ts'
import { exporterHarness, type Fate } from '../support/harness.ts'
import { findJaeger, type JaegerSpan, type JaegerTag, type JaegerTrace, startJaeger } from '../support/jaeger.ts'
import { until } from '../support/until.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const OTHER_TRACE = '5b8efff798038103d269b633813fc60c'
const PARENT = '53995c3f42cd8ad8'
const CHILD = '00f067aa0ba902b7'
const START_MS = 1_767_225_600_000

const attribute = (key: string, value: object): object => ({ key, value })
const text = (key: string, stringValue: string): object => attribute(key, { stringValue })
const nanos = (ms: number, more = 0): string => String(BigInt(ms) * 1_000_000n + BigInt(more))

const REQUEST = {
  resourceSpans: [
    {
      resource: {
        attributes: [
          text('service.name', 'press-7'),
          text('plant.line', 'north'),
          attribute('slots', { intValue: '12' }),
        ],
      },
      scopeSpans: [
        {
          scope: { name: 'press', version: '1.2' },
          spans: [
            {
              traceId: TRACE,
              spanId: CHILD,
              parentSpanId: PARENT,
              name: 'stroke',
              kind: 2,
              startTimeUnixNano: nanos(START_MS, 123_000),
              endTimeUnixNano: nanos(START_MS + 1500, 623_000),
              attributes: [
                text('order', 'A-1 ü'),
                attribute('pieces', { intValue: '-42' }),
                attribute('force', { doubleValue: 1.25 }),
                attribute('ok', { boolValue: true }),
                attribute('idle', { boolValue: false }),
              ],
              events: [
                {
                  timeUnixNano: nanos(START_MS + 700),
                  name: 'jam',
                  attributes: [attribute('force', { doubleValue: 9.5 })],
                },
              ],
              links: [{ traceId: OTHER_TRACE, spanId: PARENT }],
              status: { code: 2, message: 'jammed' },
            },
            {
              traceId: TRACE,
              spanId: PARENT,
              name: 'shift',
              kind: 1,
              startTimeUnixNano: nanos(START_MS - 10_000),
              endTimeUnixNano: nanos(START_MS + 20_000),
              status: { code: 1 },
            },
          ],
        },
      ],
    },
  ],
}

/** Keys that Jaeger adds by itself, about how the span came. */
const OWN_KEYS = ['@jaeger@format', 'internal.span.format', 'span.format']
const words = (tags: readonly JaegerTag[]): string[] =>
  tags
    .filter(({ key }) => !OWN_KEYS.includes(key))
    .map(({ key, type, value }) => `${key} ${type} ${String(value)}`)
    .sort()

function told(trace: JaegerTrace, spanId: string): object {
  const span = trace.spans.find(({ spanID }) => spanID === spanId) as JaegerSpan
  const { serviceName, tags } = trace.processes[span.processID]!
  return {
    name: span.operationName,
    trace: span.traceID,
    process: [serviceName, ...words(tags)],
    startTime: span.startTime,
    duration: span.duration,
    references: span.references.map(({ refType, traceID, spanID }) => `${refType} ${traceID} ${spanID}`),
    tags: words(span.tags),
    logs: span.logs.map(({ timestamp, fields }) => [timestamp, ...words(fields)]),
  }
}

const PROCESS = ['press-7', 'plant.line string north', 'slots int64 12']
const EXPECTED = {
  [CHILD]: {
    name: 'stroke',
    trace: TRACE,
    process: PROCESS,
    startTime: START_MS * 1000 + 123,
    duration: 1_500_500,
    references: [`CHILD_OF ${TRACE} ${PARENT}`, `FOLLOWS_FROM ${OTHER_TRACE} ${PARENT}`],
    tags: [
      'error bool true',
      'force float64 1.25',
      'idle bool false',
      'ok bool true',
      'order string A-1 ü',
      'otel.scope.name string press',
      'otel.scope.version string 1.2',
      'otel.status_code string ERROR',
      'otel.status_description string jammed',
      'pieces int64 -42',
      'span.kind string server',
    ],
    logs: [[(START_MS + 700) * 1000, 'event string jam', 'force float64 9.5']],
  },
  [PARENT]: {
    name: 'shift',
    trace: TRACE,
    process: PROCESS,
    startTime: (START_MS - 10_000) * 1000,
    duration: 30_000_000,
    references: [],
    tags: [
      'otel.scope.name string press',
      'otel.scope.version string 1.2',
      'otel.status_code string OK',
      'span.kind string internal',
    ],
    logs: [],
  },
}

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false }, tls: { insecure: true } }

async function arrives(trace: () => Promise<JaegerTrace>, fate: Fate): Promise<void> {
  await until(() => fate.delivered || fate.refused !== undefined)
  assert.equal(fate.refused, undefined)
  const found = await trace()
  for (const [id, expected] of Object.entries(EXPECTED)) assert.deepEqual(told(found, id), expected)
}

for (const version of ['v1', 'v2'] as const) {
  const found = findJaeger(version)
  const skip = typeof found === 'string' && found
  const withJaeger = (name: string, run: (t: TestContext) => Promise<void>): void => {
    test(`Jaeger ${version}: ${name}`, { skip }, run)
  }

  withJaeger('what is posted by its own gRPC is found as it was', async (t) => {
    const jaeger = await startJaeger(t, version)
    const { push } = await exporterHarness(t, jaegerExporter, { endpoint: jaeger.grpc, ...DIRECT })
    await arrives(() => jaeger.trace(TRACE, 2), push('traces', REQUEST))
  })

  withJaeger('packed requests are understood', async (t) => {
    const jaeger = await startJaeger(t, version)
    const config = { endpoint: jaeger.grpc, compression: 'gzip', ...DIRECT }
    const { push } = await exporterHarness(t, jaegerExporter, config)
    await arrives(() => jaeger.trace(TRACE, 2), push('traces', REQUEST))
  })

  withJaeger('what is sent by OTLP is found as it was; metrics are refused for good, which is said once', async (t) => {
    const jaeger = await startJaeger(t, version)
    const { push, logs } = await exporterHarness(t, otlpExporter, { endpoint: jaeger.otlp, ...DIRECT })
    await arrives(() => jaeger.trace(TRACE, 2), push('traces', REQUEST))
    const metrics = {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ asInt: '1' }] } }] }] }],
    }
    for (let i = 0; i < 3; i++) {
      const fate = push('metrics', metrics)
      await until(() => fate.refused !== undefined)
      assert.equal(fate.refused?.retry, 'never')
      assert.equal(fate.refused?.grpcCode, 12)
    }
    assert.equal(logs.filter(({ level }) => level === 'error' || level === 'warn').length, 1)
  })
}
