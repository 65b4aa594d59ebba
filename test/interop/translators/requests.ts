// Requests that services, devices and careless programmers send, made by a seed: what is usual is frequent, and what is odd
// (no time, no unit, a key twice, NaN, a name that starts with a digit) is there often enough to be met.

import type { Signal } from '../../../src/otlp/signal.ts'
import { Chance } from '../../support/chance.ts'
import type { PlainMessage } from '../../support/oracle.ts'
import type { Choose } from '../../support/scramble.ts'

const START = 1_767_225_600_000_000_000n
const KEYS = [
  ...[
    'service.name',
    'service.namespace',
    'service.instance.id',
    'service.version',
    'host.name',
    'device.id',
    'plant.line',
  ],
  ...[
    'http.route',
    'http.response.status_code',
    'url.path',
    'a',
    'a.b',
    'a_b',
    '9lives',
    '__hidden',
    'le',
    'job',
    'état',
  ],
  ...[
    'error',
    'event',
    'message',
    'level',
    'name',
    'value',
    'time',
    'span.kind',
    'exception.type',
    'opentracing.ref_type',
  ],
  ...['with space', 'comma,equals=', 'geo.location.lat', 'geo.location.lon', 'data_stream.dataset', 'quantile'],
]
const WORDS = [
  '',
  'press-7',
  'north',
  'GET /orders',
  'a "word" \\ and, more=',
  'two\nlines',
  '21 °C',
  '漢字🙂',
  'child_of',
  '-1.5',
]
const DOUBLES = [0, -0, 1, -2.5, 0.1, 71.25, 1e21, 1.5e-9, 123456789.123, Number.NaN, Infinity, -Infinity]
const UNITS = ['', '1', 'ms', 's', 'By', '%', 'Cel', '{part}', 'm/s', 'kW.h', 'By/s', 'weird unit']
const METRICS = [
  'temperature',
  'http.server.request.duration',
  'parts_total',
  'cpu.usage',
  '5xx.count',
  'ratio',
  'énergie',
  'up',
]

export const METRIC_KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const
export type MetricKind = (typeof METRIC_KINDS)[number]

export interface RequestOptions {
  readonly kinds?: readonly MetricKind[]
  /** Every data point has a time, and a finite value. */
  readonly areWhole?: boolean
  readonly areCumulative?: boolean
  /** No scope, metric, or time of a metric's point is there twice; points of two scopes have no time in common. */
  readonly areDifferent?: boolean
  /** With `areDifferent`: but points of two scopes of one resource may have a time in common. */
  readonly shareTimes?: boolean
  /** Points may say how Elasticsearch is to have them. */
  readonly haveHints?: boolean
  /** Keys that no attribute has. */
  readonly without?: readonly string[]
  /** Further keys, as frequent as all others together. */
  readonly moreKeys?: readonly string[]
  /** Further texts of values. */
  readonly moreTexts?: readonly string[]
}

export function request(signal: Signal, choose: Choose, options: RequestOptions = {}): PlainMessage {
  return new Requests(choose, options).request(signal)
}

class Requests extends Chance {
  readonly #kinds: readonly MetricKind[]
  readonly #areWhole: boolean
  readonly #areCumulative: boolean
  readonly #areDifferent: boolean
  readonly #shareTimes: boolean
  readonly #haveHints: boolean
  readonly #moreKeys: readonly string[]
  readonly #texts: readonly string[]
  #metricCount = 0
  #scopeCount = 0
  #resourceCount = 0
  readonly #keys: readonly string[]

  constructor(
    choose: Choose,
    {
      kinds = METRIC_KINDS,
      areWhole = false,
      areCumulative = false,
      areDifferent = false,
      shareTimes = false,
      haveHints = false,
      without = [],
      moreKeys = [],
      moreTexts = [],
    }: RequestOptions,
  ) {
    super(choose)
    this.#keys = KEYS.filter((key) => !without.includes(key))
    this.#kinds = kinds
    this.#areWhole = areWhole
    this.#areCumulative = areCumulative
    this.#areDifferent = areDifferent
    this.#shareTimes = shareTimes
    this.#haveHints = haveHints
    this.#moreKeys = moreKeys
    this.#texts = [...WORDS, ...moreTexts]
  }

  request(signal: Signal): PlainMessage {
    if (signal === 'traces')
      return {
        resourceSpans: this.some(3, () => ({
          ...this.#resource(),
          scopeSpans: this.#scopes('spans', () => this.#span()),
        })),
      }
    if (signal === 'logs')
      return {
        resourceLogs: this.some(3, () => ({
          ...this.#resource(),
          scopeLogs: this.#scopes('logRecords', () => this.#record()),
        })),
      }
    return {
      resourceMetrics: this.some(3, () => ({
        ...this.#resource(),
        scopeMetrics: this.#scopes('metrics', () => this.#metric()),
      })),
    }
  }

  #resource(): PlainMessage {
    this.#resourceCount++
    const resource = this.odds(90) ? { resource: { attributes: this.#attributes(4) } } : {}
    return this.odds(20) ? { ...resource, schemaUrl: 'https://opentelemetry.io/schemas/1.37.0' } : resource
  }

  #scopes(field: string, make: () => PlainMessage): PlainMessage[] {
    return this.some(2, () => ({
      ...(this.#areDifferent || this.odds(70)
        ? {
            scope: {
              name: this.of(['line', 'io.opentelemetry.kafka', '']),
              version: this.#areDifferent ? `2.${this.#scopeCount++}` : this.of(['', '2.1']),
              attributes: this.#attributes(2),
            },
          }
        : {}),
      [field]: this.some(4, make),
    }))
  }

  #attributes(most: number, value = (): PlainMessage => this.#value(2)): PlainMessage[] {
    const keys = new Set(Array.from({ length: this.choose(most + 1) }, () => this.#key()))
    return [...keys].map((key) => ({ key, value: value() }))
  }

  #key(): string {
    return this.of(this.#moreKeys.length > 0 && this.odds(50) ? this.#moreKeys : this.#keys)
  }

  #value(depth: number): PlainMessage {
    switch (this.choose(depth > 0 ? 12 : 9)) {
      case 0:
        return { boolValue: this.odds(50) }
      case 1:
        return { intValue: this.of([0n, 1n, -7n, 404n, 9007199254740993n, -(2n ** 63n)]) }
      case 2:
        return { doubleValue: this.of(DOUBLES.filter((one) => Number.isFinite(one) && !Object.is(one, -0))) }
      case 3:
        return { bytesValue: Uint8Array.from([0, 255, 128]) }
      case 9:
      case 10:
        return { arrayValue: { values: this.some(3, () => this.#value(depth - 1)) } }
      case 11:
        return { kvlistValue: { values: this.#attributes(3, () => this.#value(depth - 1)) } }
      default:
        return { stringValue: this.of(this.#texts) }
    }
  }

  #time(): bigint {
    return START + BigInt(this.choose(4)) * 1_000_000_000n + BigInt(this.choose(3)) * 123_456_789n
  }

  #id(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => 1 + this.choose(255))
  }

  #span(): PlainMessage {
    const start = this.#time()
    return {
      traceId: this.#id(16),
      spanId: this.#id(8),
      ...(this.odds(50) ? { parentSpanId: this.#id(8) } : {}),
      ...(this.odds(20) ? { traceState: this.of(['a=b', 'ot=th:8,vendor=x']) } : {}),
      name: this.of(WORDS),
      kind: this.choose(6),
      startTimeUnixNano: start,
      endTimeUnixNano: start + BigInt(this.choose(2_000_000_000)),
      attributes: this.#attributes(6),
      ...(this.odds(50) ? { status: { code: this.choose(3), message: this.of(WORDS) } } : {}),
      events: this.odds(40)
        ? this.some(2, () => ({
            timeUnixNano: this.#time(),
            name: this.of(['jam', 'exception', '']),
            attributes: this.#attributes(3),
          }))
        : [],
      links: this.odds(30)
        ? this.some(2, () => ({ traceId: this.#id(16), spanId: this.#id(8), attributes: this.#attributes(2) }))
        : [],
      ...(this.odds(10) ? { droppedAttributesCount: 2, droppedEventsCount: 1, droppedLinksCount: 3 } : {}),
    }
  }

  #record(): PlainMessage {
    return {
      timeUnixNano: this.#time(),
      ...(this.odds(70) ? { observedTimeUnixNano: this.#time() } : {}),
      ...(this.odds(80) ? { severityNumber: 1 + this.choose(24) } : {}),
      ...(this.odds(60) ? { severityText: this.of(['INFO', 'warn', 'Fatal', '']) } : {}),
      ...(this.odds(90) ? { body: this.#value(2) } : {}),
      ...(this.odds(50) ? { traceId: this.#id(16), spanId: this.#id(8), flags: this.choose(2) } : {}),
      ...(this.odds(20) ? { eventName: 'part.finished' } : {}),
      ...(this.odds(10) ? { droppedAttributesCount: 2 } : {}),
      attributes: this.#attributes(6),
    }
  }

  #metric(): PlainMessage {
    const head = {
      name: this.of(METRICS) + (this.#areDifferent ? this.#metricCount++ : ''),
      unit: this.of(UNITS),
      description: this.of(['', 'What it is.']),
    }
    const aggregationTemporality = this.#areCumulative || this.odds(85) ? 2 : 1
    let index = 0
    const points = (make: () => PlainMessage): PlainMessage[] =>
      this.some(3, () => ({ ...this.#point(index++), ...make() }))
    const kind = this.of(this.#kinds)
    switch (kind) {
      case 'sum':
        return {
          ...head,
          sum: { aggregationTemporality, isMonotonic: this.odds(70), dataPoints: points(() => this.#number()) },
        }
      case 'histogram':
        return { ...head, histogram: { aggregationTemporality, dataPoints: points(() => this.#histogram()) } }
      case 'exponentialHistogram':
        return {
          ...head,
          exponentialHistogram: { aggregationTemporality, dataPoints: points(() => this.#exponential()) },
        }
      case 'summary':
        return { ...head, summary: { dataPoints: points(() => this.#summary()) } }
      default:
        return { ...head, gauge: { dataPoints: points(() => this.#number()) } }
    }
  }

  #point(index: number): PlainMessage {
    const place = this.#shareTimes ? this.#resourceCount : this.#scopeCount
    const time = this.#areDifferent ? START + BigInt(place * 10 + index) * 1_000_000_000n : this.#time()
    const hints = this.#haveHints && this.odds(30) ? [this.#hints()] : []
    return {
      ...(this.#areWhole || this.odds(95) ? { timeUnixNano: time } : {}),
      ...(this.odds(60) ? { startTimeUnixNano: START - 1_000_000_000n } : {}),
      attributes: [...this.#attributes(4), ...hints],
    }
  }

  #hints(): PlainMessage {
    const words = this.some(2, () => this.of(['_doc_count', 'aggregate_metric_double', 'histogram:raw', '_noindex']))
    const values = words.map((stringValue) => ({ stringValue }))
    return { key: 'elasticsearch.mapping.hints', value: { arrayValue: { values } } }
  }

  #exemplars(): PlainMessage {
    if (this.odds(80)) return {}
    return {
      exemplars: this.some(2, () => ({
        timeUnixNano: this.#time(),
        ...(this.odds(70) ? { asDouble: this.of([0.5, 3]) } : { asInt: 7n }),
        filteredAttributes: this.#attributes(2),
        ...(this.odds(50) ? { traceId: this.#id(16), spanId: this.#id(8) } : {}),
      })),
    }
  }

  #number(): PlainMessage {
    if (!this.#areWhole && this.odds(5)) return { flags: 1 }
    const doubles = this.#areWhole ? DOUBLES.filter((one) => Number.isFinite(one) && !Object.is(one, -0)) : DOUBLES
    const value = this.odds(50) ? { asDouble: this.of(doubles) } : { asInt: this.of([0n, 42n, -3n, 9007199254740993n]) }
    return { ...value, ...this.#exemplars() }
  }

  #histogram(): PlainMessage {
    const bounds = this.odds(85) ? [0.5, 1, 2.5, 10].slice(0, 1 + this.choose(4)) : []
    const bucketCounts = bounds.length === 0 && this.odds(50) ? [] : [...bounds, 0].map(() => BigInt(this.choose(5)))
    const count = bucketCounts.length === 0 ? 4n : bucketCounts.reduce((sum, one) => sum + one, 0n)
    return {
      count,
      explicitBounds: bounds,
      bucketCounts,
      ...(this.odds(85) ? { sum: 12.5 } : {}),
      ...(this.odds(30) ? { min: 0.25, max: 11 } : {}),
      ...this.#exemplars(),
    }
  }

  #exponential(): PlainMessage {
    const side = (): PlainMessage => ({
      offset: this.choose(9) - 4,
      bucketCounts: this.some(5, () => BigInt(this.choose(4))),
    })
    const positive = side()
    const negative = this.odds(30) ? side() : undefined
    const zeroCount = BigInt(this.choose(3))
    const counts = [positive, negative ?? {}].flatMap((one) => (one.bucketCounts ?? []) as bigint[])
    return {
      count: counts.reduce((sum, one) => sum + one, zeroCount),
      ...(this.odds(90) ? { sum: 7.5 } : {}),
      scale: this.of([-4, 0, 1, 3, 8]),
      zeroCount,
      zeroThreshold: this.of([0, 0.001]),
      positive,
      ...(negative === undefined ? {} : { negative }),
      ...this.#exemplars(),
    }
  }

  #summary(): PlainMessage {
    const quantileValues = this.odds(90)
      ? [0.5, 0.99].map((quantile) => ({ quantile, value: this.of([1, 2.5, 300]) }))
      : []
    return { count: BigInt(this.choose(9)), sum: 20.5, quantileValues }
  }
}
