// The next hop of benches and fault runs: takes OTLP over gRPC and HTTP, and bulk requests of documents; counts, and answers as it is told; moods change
// while it runs. A process of its own:
//
//   sink.ts OPTIONS      with SinkOptions as JSON
//
// Requests are of one signal, which it is told; a packed one says by its first bytes how it is packed. A lane is a pair of
// ports, for routers that send everything to several places: numbers are kept by lane.

import { createServer as createHttpServer, type Server as HttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { readSnappyBlock } from '../../src/net/snappy.ts'
import { bulkAnswer, countDocuments, countLines, isBulk, isLines, isRemoteWrite } from './bulk.ts'
import { countItems as countTelemetry } from './count-items.ts'
import { Latencies } from './latencies.ts'
import { NumberSet, readMarks } from './numbered.ts'
import type { Signal } from './payloads.ts'
import { Schedule, sharedNowMs } from './schedule.ts'
import { type Answer, partialResponse, type Reply } from './sink-answers.ts'
import { serveGrpc } from './sink-grpc.ts'
import { laneKey, type SinkReport } from './sink-report.ts'

export type { SinkReport } from './sink-report.ts'

export interface SinkOptions {
  readonly signal: Signal
  readonly lanes: readonly { readonly grpc: number; readonly http: number }[]
  /** Remembers when each number came first. */
  readonly arrivals: boolean
  /** Items that each number stands for: what came again is that many, and points of remote write cannot be counted. */
  readonly itemsANumber: number
}

/** What the sink does with requests. Only what it has received counts as such. */
export const SINK_MODES = {
  answer: 'Receives, and answers OK.',
  stall: 'Holds requests until the mode changes; then those whose client still waits are received and answered.',
  slow: 'As stall, for 200 ms.',
  refuse: 'Refuses with UNAVAILABLE or 503.',
  reject: 'Refuses for good, with INVALID_ARGUMENT or 400.',
  late: 'Receives at once, and answers only after 1.5 s.',
  reset: 'Cuts the connection, every other time after it has received the request.',
  partial: 'Receives two of three items, and says in a partial success that it rejected the third.',
  away: 'Listens no more and cuts all connections; the next mode listens on the same ports again.',
} as const
export type SinkMode = keyof typeof SINK_MODES

export type ToSink =
  | { readonly kind: 'mode'; readonly mode: SinkMode; readonly itemsPerSecond?: number }
  | { readonly kind: 'report' }
  | ({ readonly kind: 'arrivals' } & ArrivalsOptions)

/** Requests that were sent at a rate, and when the first one was due on the shared clock. */
export interface ArrivalsOptions {
  readonly sender: number
  readonly firstNumber: number
  readonly count: number
  readonly fromMs: number
  readonly perSecond: number
}

/** A moment before the answer of mode `late`; exporters of fault runs give up before. */
export const LATE_ANSWER_MS = 1_500

export type FromSink =
  | { readonly kind: 'listening'; readonly lanes: readonly { readonly grpc: number; readonly http: number }[] }
  | SinkReport
  | { readonly kind: 'arrivals'; readonly latencies: Uint32Array }

const SLOW_ANSWER_MS = 200
const EMPTY = new Uint8Array(0)

/** A document is an item. */
function countItems(signal: Signal, request: Buffer, itemsANumber: number): number {
  if (isBulk(request)) return countDocuments(request)
  if (isLines(request)) return countLines(request)
  if (!isRemoteWrite(request)) return countTelemetry(signal, request)
  let numbers = 0
  readMarks(request, () => numbers++)
  return numbers * itemsANumber
}

class Numbers {
  readonly #byKey = new Map<number, NumberSet>()

  /** False when it was there. */
  add(key: number, number: number): boolean {
    let numbers = this.#byKey.get(key)
    if (numbers === undefined) this.#byKey.set(key, (numbers = new NumberSet()))
    const before = numbers.size
    numbers.add(number)
    return numbers.size > before
  }

  bits(): ReadonlyMap<number, Uint8Array> {
    return new Map([...this.#byKey].map(([key, { bits }]) => [key, bits]))
  }
}

class Sink {
  mode: SinkMode = 'answer'
  #held: (() => void)[] = []
  #itemsPerMs = Number.POSITIVE_INFINITY
  #pacedUntilMs = 0
  #items = 0
  #requests = 0
  #bytes = 0
  #refused = 0
  #rejectedItems = 0
  #duplicates = 0
  #unansweredItems = 0
  #largestItems = 0
  #receivedBeforeReset = false
  readonly #numbers = new Numbers()
  readonly #rejected = new Numbers()
  readonly #signal: Signal
  readonly #itemsANumber: number
  readonly #arrivals: Map<number, number[]> | undefined

  constructor({ signal, itemsANumber, arrivals }: SinkOptions) {
    this.#signal = signal
    this.#itemsANumber = itemsANumber
    this.#arrivals = arrivals ? new Map() : undefined
  }

  setMode(mode: SinkMode, itemsPerSecond = Number.POSITIVE_INFINITY): void {
    this.mode = mode
    this.#itemsPerMs = itemsPerSecond / 1000
    if (mode === 'stall') return
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Answers now or later, as the mode says. */
  receive(lane: number, body: Buffer, reply: Reply): void {
    switch (this.mode) {
      case 'refuse':
      case 'away':
        this.#refused++
        reply('unavailable')
        return
      case 'reject':
        this.#reject(lane, unpack(body))
        reply('invalid')
        return
      case 'stall':
        this.#held.push(() => this.#answerLate(lane, body, reply))
        return
      case 'slow':
        setTimeout(() => this.#answerLate(lane, body, reply), SLOW_ANSWER_MS)
        return
      case 'late':
        this.#unansweredItems += this.#count(lane, body)
        setTimeout(() => reply('ok'), LATE_ANSWER_MS)
        return
      case 'reset':
        this.#receivedBeforeReset = !this.#receivedBeforeReset
        if (this.#receivedBeforeReset) this.#unansweredItems += this.#count(lane, body)
        reply('cut')
        return
      case 'partial': {
        const before = this.#rejectedItems
        this.#count(lane, body, (number) => number % 3 === 2)
        reply(this.#rejectedItems - before)
        return
      }
      case 'answer':
        if (this.#itemsPerMs === Number.POSITIVE_INFINITY) {
          if (reply('ok')) this.#count(lane, body)
        } else this.#receivePaced(lane, body, reply)
    }
  }

  /** The client may just be giving up, and then sends again what counts as received here. */
  #answerLate(lane: number, body: Buffer, reply: Reply): void {
    if (reply('ok')) this.#unansweredItems += this.#count(lane, body)
  }

  /** Answers when the items before it, and its own, have had their time. */
  #receivePaced(lane: number, body: Buffer, reply: Reply): void {
    const now = performance.now()
    const items = countItems(this.#signal, unpack(body), this.#itemsANumber)
    this.#pacedUntilMs = Math.max(now, this.#pacedUntilMs) + items / this.#itemsPerMs
    setTimeout(() => {
      if (reply('ok')) this.#count(lane, body)
    }, this.#pacedUntilMs - now)
  }

  #reject(lane: number, request: Buffer): void {
    this.#rejectedItems += countItems(this.#signal, request, this.#itemsANumber)
    readMarks(request, (sender, number) => this.#rejected.add(laneKey(lane, sender), number))
  }

  #count(lane: number, body: Buffer, isRejected?: (number: number) => boolean): number {
    this.#requests++
    this.#bytes += body.length
    const request = unpack(body)
    readMarks(request, (sender, number) => {
      const key = laneKey(lane, sender)
      if (isRejected?.(number) === true) {
        this.#rejectedItems++
        this.#rejected.add(key, number)
      } else if (!this.#numbers.add(key, number)) this.#duplicates++
      else this.#arrived(key, number)
    })
    const items = countItems(this.#signal, request, this.#itemsANumber)
    this.#items += items
    if (items > this.#largestItems) this.#largestItems = items
    return items
  }

  #arrived(key: number, number: number): void {
    if (this.#arrivals === undefined) return
    let times = this.#arrivals.get(key)
    if (times === undefined) this.#arrivals.set(key, (times = []))
    times[number] = sharedNowMs()
  }

  /** From when requests were due to their arrival here, in the first lane. */
  arrivalLatencies({ sender, firstNumber, count, fromMs, perSecond }: ArrivalsOptions): Latencies {
    const latencies = new Latencies()
    const times = this.#arrivals?.get(laneKey(0, sender)) ?? []
    const schedule = new Schedule(fromMs, perSecond)
    for (let index = 0; index < count; index++) {
      const time = times[firstNumber + index]
      if (time !== undefined) latencies.add(time - schedule.dueMs(index))
    }
    return latencies
  }

  report(): SinkReport {
    return {
      kind: 'report',
      items: this.#items,
      distinctItems: this.#items - this.#duplicates * this.#itemsANumber,
      requests: this.#requests,
      bytes: this.#bytes,
      refused: this.#refused,
      numbers: this.#numbers.bits(),
      rejected: this.#rejected.bits(),
      rejectedItems: this.#rejectedItems,
      duplicates: this.#duplicates,
      unansweredItems: this.#unansweredItems,
      largestItems: this.#largestItems,
    }
  }
}

function unpack(body: Buffer): Buffer {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body)
  if (body[0] === 0x28 && body[1] === 0xb5) return zstdDecompressSync(body)
  return body
}

/** Of a request of remote write, unpacked. */
const SNAPPY_MAX_BYTES = 64 * 1024 * 1024

const HTTP_STATUS = { ok: 200, unavailable: 503, invalid: 400 } as const

/** `documents`: of a bulk request, which has an answer of its own. */
function answerHttp(response: ServerResponse, answer: Answer, documents: number | undefined): boolean {
  const { socket } = response
  if (response.destroyed || socket === null) return false
  if (answer === 'cut') {
    ;(socket as Socket).resetAndDestroy()
    return true
  }
  const isPartial = typeof answer === 'number'
  const body =
    documents !== undefined && answer === 'ok' ? bulkAnswer(documents) : isPartial ? partialResponse(answer) : EMPTY
  response.writeHead(isPartial ? 200 : HTTP_STATUS[answer], {
    'content-type': documents === undefined ? 'application/x-protobuf' : 'application/json',
    'content-length': body.length,
    // Elastic's own clients speak to nobody else.
    ...(documents !== undefined && { 'x-elastic-product': 'Elasticsearch' }),
  })
  response.end(body)
  return true
}

const options = JSON.parse(process.argv[2] ?? '{}') as SinkOptions
const sink = new Sink(options)
const sockets = new Set<Socket>()

/** Ports of `options` may be 0, or lie outside of the range from which the kernel takes those of clients. */
const doors = options.lanes.map((ports, lane) => {
  const grpc = createServer((socket) => serveGrpc((body, reply) => sink.receive(lane, body, reply), socket))
  const http = createHttpServer((request, response) => {
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const packed = Buffer.concat(body)
      const isSnappy = request.headers['content-encoding'] === 'snappy'
      const bytes = isSnappy ? Buffer.from(readSnappyBlock(packed, SNAPPY_MAX_BYTES)) : packed
      const documents = request.url?.startsWith('/_bulk') === true ? countDocuments(unpack(bytes)) : undefined
      sink.receive(lane, bytes, (answer) => answerHttp(response, answer, documents))
    })
  })
  http.keepAliveTimeout = 60_000
  for (const server of [grpc, http])
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
  return { grpc, http, ports: { ...ports } }
})

const listen = (server: Server | HttpServer, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })

async function openDoors(): Promise<void> {
  for (const { grpc, http, ports } of doors) {
    ports.grpc = await listen(grpc, ports.grpc)
    ports.http = await listen(http, ports.http)
  }
}

async function closeDoors(): Promise<void> {
  const closed = doors.flatMap(({ grpc, http }) =>
    [grpc, http].map((server) => new Promise((resolve) => server.close(resolve))),
  )
  for (const socket of sockets) socket.resetAndDestroy()
  await Promise.all(closed)
}

async function setMode({ mode, itemsPerSecond }: Extract<ToSink, { kind: 'mode' }>): Promise<void> {
  const wasAway = sink.mode === 'away'
  sink.setMode(mode, itemsPerSecond)
  if (wasAway && mode !== 'away') await openDoors()
  if (!wasAway && mode === 'away') await closeDoors()
}

const send = (message: FromSink): void => void process.send!(message)
// One after the other: a report tells what was before it, and a server that closes is closed before it listens again.
let asked: Promise<void> = openDoors()
process.on('message', (message: ToSink) => {
  asked = asked.then(async () => {
    if (message.kind === 'mode') await setMode(message)
    else if (message.kind === 'report') send(sink.report())
    else send({ kind: 'arrivals', latencies: sink.arrivalLatencies(message).counts })
  })
})
process.on('disconnect', () => process.exit(0))
await asked
send({ kind: 'listening', lanes: doors.map(({ ports }) => ports) })
