// For tests of decoders: what one makes of a payload, as OTLP/JSON that a person can read.

import { checkRequest } from '../../../otlp/check.ts'
import { bytesToJson } from '../../../otlp/json/index.ts'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { Metrics, Naming, type NamingRules, PLAIN_NAMING } from '../../../readings/naming.ts'
import { Readings } from '../../../readings/readings.ts'
import { Sources } from '../../../readings/sources.ts'
import { Stream } from '../../../readings/stream.ts'
import { DEFAULT_TIME_RULES, type TimeRules } from '../../../readings/timestamps.ts'
import { PayloadTimes } from '../event-times.ts'
import { type Decode, type Decoder, type DecoderContext, type Message, plainContext } from './decoder.ts'

export const RECEIVED_MS = 1_767_225_600_000

export class DecoderRig {
  readonly out: Readings
  readonly #decode: Decode
  readonly #stream: Stream
  readonly #times: PayloadTimes
  readonly full: string[] = []
  readonly badClocks: string[] = []

  constructor(
    decoder: Decoder,
    rules: NamingRules = PLAIN_NAMING,
    bounds = { maxSources: 1000, maxSeries: 1000 },
    context: DecoderContext = plainContext(),
    times: TimeRules = { ...DEFAULT_TIME_RULES, pastMaxMs: 0 },
  ) {
    this.#times = new PayloadTimes(times, (word) => void this.badClocks.push(word))
    const metrics = new Metrics()
    const sources = new Sources({ ...bounds, onFull: (what) => void this.full.push(what) })
    const naming = new Naming(metrics, rules)
    const streams = new Map<string, Stream>()
    this.#stream = new Stream(sources, [], naming)
    this.out = new Readings({
      scope: 'test',
      sources,
      takesMetrics: true,
      takesLogs: true,
      device: (bytes, from, to) => {
        const id = Buffer.from(bytes.slice(from, to)).toString()
        const known = streams.get(id) ?? new Stream(sources, [['device.id', id]], naming)
        streams.set(id, known)
        return known
      },
    })
    this.#decode = decoder.create(context)
  }

  /** Undefined, or why the payload was refused: then it has left nothing. */
  push(payload: string | Uint8Array, message: Partial<Message> = {}): BadPayload | undefined {
    const inner = Buffer.from(payload as string)
    // Among other bytes, as in a socket's chunk.
    const bytes = new Uint8Array(Buffer.concat([Buffer.from('"1e'), inner, Buffer.from('9}"')]))
    this.out.begin(this.#stream, RECEIVED_MS)
    this.#times.begin(RECEIVED_MS)
    try {
      this.#decode(
        {
          bytes,
          from: 3,
          to: 3 + inner.length,
          topic: 'plant/line/own',
          ownName: Buffer.from('own'),
          retain: false,
          receivedMs: RECEIVED_MS,
          contentType: undefined,
          userProperty: () => undefined,
          times: this.#times,
          ...message,
        },
        this.out,
      )
      return undefined
    } catch (error) {
      this.out.rollBack()
      if (error instanceof BadPayload) return error
      throw error
    }
  }

  /** Everything since the last call as OTLP/JSON, checked as a door would; a request for each signal that has some. */
  takenRequests(): string[] {
    return (['metrics', 'logs'] as const).map((signal) => this.#json(signal)).filter((json) => json !== '')
  }

  /** Everything since the last call, checked as a door would: one line for each point and record. */
  taken(): string[] {
    const lines: string[] = []
    const metrics = this.#request('metrics')
    for (const { resource, scopeMetrics } of metrics.resourceMetrics ?? [])
      for (const metric of scopeMetrics.flatMap((scope: { metrics: unknown[] }) => scope.metrics)) {
        const kind = ['gauge', 'sum'].find((name) => metric[name] !== undefined)!
        for (const point of metric[kind].dataPoints)
          lines.push(
            [
              attributes(resource),
              kind === 'gauge' ? '' : `${metric.sum.isMonotonic ? 'counter' : 'level'} `,
              `${metric.name}=${point.asDouble ?? Number(point.asInt)}${metric.unit ?? ''}${attributes(point)}`,
              ` @${point.timeUnixNano}`,
            ].join(''),
          )
      }
    const logs = this.#request('logs')
    for (const { resource, scopeLogs } of logs.resourceLogs ?? [])
      for (const record of scopeLogs.flatMap((scope: { logRecords: unknown[] }) => scope.logRecords))
        lines.push(
          `${attributes(resource)}log ${JSON.stringify(record.body)}${attributes(record)} @${record.timeUnixNano}`,
        )
    return lines
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
  #request(signal: 'metrics' | 'logs'): any {
    const json = this.#json(signal)
    return json === '' ? {} : JSON.parse(json)
  }

  #json(signal: 'metrics' | 'logs'): string {
    const sheet = this.out[signal]
    const { items } = sheet
    const bytes = sheet.take()
    if (bytes === undefined) return ''
    const counted = checkRequest(signal, bytes)
    if (counted !== items) throw new Error(`${items} items were counted, ${counted} are there`)
    return bytesToJson(signal, [bytes])
  }
}

function attributes(of: { attributes?: { key: string; value: { stringValue: string } }[] }): string {
  const list = of.attributes ?? []
  return list.length === 0 ? '' : `{${list.map(({ key, value }) => `${key}=${value.stringValue}`).join()}}`
}
