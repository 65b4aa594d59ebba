// A sender of the bench, in a process of its own: sends numbered requests, made beforehand, and remembers which were
// answered OK.
//
//   closed loop   a fixed number of requests on their way; the next one leaves when an answer comes: what can it carry?
//   open loop     requests leave when they are due, whatever the answers do: how long does it take at this rate?

import { bytesToJsonBytes } from '../../src/otlp/json/index.ts'
import { Latencies } from './latencies.ts'
import { GrpcLoad } from './load-grpc.ts'
import { HttpLoad } from './load-http.ts'
import { MOST_SENDERS, NumberSet } from './numbered.ts'
import { type Encoding, type PackedRequest, pack } from './packed.ts'
import { ATTRIBUTES, payloads, type Signal } from './payloads.ts'
import { Schedule, sharedNowMs } from './schedule.ts'

export type { Encoding } from './packed.ts'
export type Protocol = 'grpc' | 'http'
export type Format = 'protobuf' | 'json'

export interface LoadOptions {
  readonly protocol: Protocol
  readonly port: number
  /** Spans, data points or records. */
  readonly itemsPerRequest: number
  readonly encoding: Encoding
  /** Requests on their way at most, over all connections; over HTTP each has a connection of its own. */
  readonly inFlight: number
  /** Of gRPC; one by default. */
  readonly connections?: number
  /** Tells the numbers of several senders apart. */
  readonly sender: number
  readonly signal?: Signal
  /** Of each item: ten by default, four at least. */
  readonly attributes?: number
  /** JSON over HTTP only. */
  readonly format?: Format
}

export type ToLoad = { readonly kind: 'open'; readonly options: LoadOptions } | ({ readonly kind: 'run' } & RunOptions)

/** Sends for that long, or that many requests; then waits for the answers and reports. */
export interface RunOptions {
  readonly forMs?: number
  readonly requests?: number
  /** An open loop at this rate; as fast as the answers allow by default. */
  readonly requestsPerSecond?: number
}

export interface LoadReport {
  readonly kind: 'report'
  /** Of this run. */
  readonly ok: number
  readonly refused: number
  /** Without an answer: the connection was lost. */
  readonly failed: number
  /** Open loop: due in this run, and never sent because too many others still waited for their answers. */
  readonly unsent: number
  readonly wallMs: number
  /** From when a request was due, or in a closed loop from when it left, to its OK: see latencies.ts. */
  readonly latencies: Uint32Array
  /** Open loop: how late requests left for which there was room, so that it was the load's own fault. */
  readonly delays: Uint32Array
  /** Bytes of the requests answered OK, as they were sent. */
  readonly okBytes: number
  /** Numbers answered OK since the process began. */
  readonly okNumbers: Uint8Array
  /** The number of this run's first request, and when it was due on the shared clock. */
  readonly firstNumber: number
  readonly fromMs: number
}

export type FromLoad = { readonly kind: 'open' } | LoadReport

/** What a connection asks and tells. */
export interface LoadEvents {
  /** The number for the next request, or -1 for none now: start() asks again. */
  next(): number
  ok(number: number): void
  refused(number: number): void
  failed(number: number): void
}

export interface Connection {
  open(port: number): Promise<void>
  /** Sends one request if one is due and may be on its way; false when not. */
  startOne(): boolean
}

/** How often an open loop looks whether the next requests are due. */
const PACE_EVERY_MS = 1
/** What was due before the end may leave so long after it. */
const GRACE_MS = 500
/** Different requests; the same ones come again and again, with other numbers. */
const MOST_REQUESTS = 16

const SERVICES: Readonly<Record<Signal, string>> = { traces: 'Trace', metrics: 'Metrics', logs: 'Logs' }
const grpcPath = (signal: Signal): string =>
  `/opentelemetry.proto.collector.${signal === 'traces' ? 'trace' : signal}.v1.${SERVICES[signal]}Service/Export`

function makeRequests(options: LoadOptions): PackedRequest[] {
  const {
    itemsPerRequest: items,
    inFlight,
    encoding,
    sender,
    signal = 'traces',
    format,
    attributes = ATTRIBUTES,
  } = options
  return payloads({ signal, items, attributes, count: Math.min(inFlight, MOST_REQUESTS), seed: sender + 1 }).map(
    (bytes) => pack(format === 'json' ? bytesToJsonBytes(signal, [bytes]) : bytes, encoding),
  )
}

class Load implements LoadEvents {
  readonly #options: LoadOptions
  readonly #connections: Connection[]
  readonly #requestBytes: number
  readonly #okNumbers = new NumberSet()
  /** When each request on its way was due, by number. */
  readonly #dueMs = new Map<number, number>()
  #latencies = new Latencies()
  #delays = new Latencies()
  #schedule: Schedule | undefined
  #pacing: NodeJS.Timeout | undefined
  #ticking = false
  #nextNumber = 0
  #fromNumber = 0
  #untilNumber = 0
  #untilMs = 0
  /** An open loop lasts until then, also where nothing is due any more. */
  #leastUntilMs = 0
  #fromMs = 0
  #pending = 0
  #ok = 0
  #refused = 0
  #failed = 0

  constructor(options: LoadOptions) {
    const { protocol, signal = 'traces', inFlight, sender, format = 'protobuf' } = options
    if (sender >= MOST_SENDERS) throw new RangeError(`sender ${sender} of at most ${MOST_SENDERS - 1}`)
    const requests = makeRequests(options)
    this.#options = options
    this.#requestBytes = requests.reduce((sum, { bytes }) => sum + bytes.length, 0) / requests.length
    const count = protocol === 'grpc' ? (options.connections ?? 1) : inFlight
    const each = Math.max(1, Math.floor(inFlight / count))
    this.#connections = Array.from({ length: count }, (_, index) =>
      protocol === 'grpc'
        ? new GrpcLoad(requests, each, sender, this, grpcPath(signal))
        : new HttpLoad(requests[index % requests.length]!, sender, this, `/v1/${signal}`, format),
    )
  }

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open(this.#options.port)))
  }

  run({ forMs, requests, requestsPerSecond }: RunOptions): void {
    this.#ok = this.#refused = this.#failed = 0
    this.#latencies = new Latencies()
    this.#delays = new Latencies()
    this.#dueMs.clear()
    this.#fromMs = performance.now()
    this.#untilMs = this.#fromMs + (forMs ?? Number.POSITIVE_INFINITY)
    this.#fromNumber = this.#nextNumber
    this.#untilNumber = this.#nextNumber + (requests ?? Number.POSITIVE_INFINITY)
    this.#schedule = undefined
    this.#leastUntilMs = 0
    if (requestsPerSecond !== undefined) {
      this.#schedule = new Schedule(this.#fromMs, requestsPerSecond)
      this.#untilNumber = Math.min(this.#untilNumber, this.#nextNumber + this.#schedule.countBefore(this.#untilMs))
      if (requests === undefined) this.#leastUntilMs = this.#untilMs
      this.#untilMs += GRACE_MS
      this.#pacing = setInterval(() => this.#start(), PACE_EVERY_MS)
    }
    this.#start()
  }

  /** Round and round over the connections, so that they share what is due. */
  #start(): void {
    this.#ticking = true
    for (let started = true; started; ) {
      started = false
      for (const connection of this.#connections) if (connection.startOne()) started = true
    }
    this.#ticking = false
    // Where nothing could be sent any more, no answer will end the run.
    if (this.#isOver(performance.now())) this.#reportIfDone()
  }

  next(): number {
    const now = performance.now()
    if (this.#isOver(now)) {
      this.#reportIfDone()
      return -1
    }
    let dueMs = now
    if (this.#schedule !== undefined) {
      dueMs = this.#schedule.dueMs(this.#nextNumber - this.#fromNumber)
      if (dueMs > now) return -1
      // One that had to wait for an answer is late because of the router.
      if (this.#ticking) this.#delays.add(now - dueMs)
    }
    this.#pending++
    this.#dueMs.set(this.#nextNumber, dueMs)
    return this.#nextNumber++
  }

  ok(number: number): void {
    this.#ok++
    this.#okNumbers.add(number)
    this.#latencies.add(performance.now() - this.#dueMs.get(number)!)
    this.#settle(number)
  }

  refused(number: number): void {
    this.#refused++
    this.#settle(number)
  }

  failed(number: number): void {
    this.#failed++
    this.#settle(number)
    // An open loop goes on until all has been due: what cannot be sent any more counts.
    if (this.#schedule === undefined) this.#reportIfDone()
  }

  #settle(number: number): void {
    this.#pending--
    this.#dueMs.delete(number)
  }

  #isOver(now: number): boolean {
    return this.#nextNumber >= this.#untilNumber || now >= this.#untilMs
  }

  #reportIfDone(): void {
    if (this.#pending > 0 || this.#untilNumber === 0 || performance.now() < this.#leastUntilMs) return
    const unsent = this.#schedule === undefined ? 0 : this.#untilNumber - this.#nextNumber
    this.#untilNumber = 0
    clearInterval(this.#pacing)
    const wallMs = performance.now() - this.#fromMs
    send({
      kind: 'report',
      ok: this.#ok,
      refused: this.#refused,
      failed: this.#failed,
      unsent,
      wallMs,
      latencies: this.#latencies.counts,
      delays: this.#delays.counts,
      okBytes: this.#ok * this.#requestBytes,
      okNumbers: this.#okNumbers.bits,
      firstNumber: this.#fromNumber,
      fromMs: sharedNowMs() - wallMs,
    })
  }
}

const send = (message: FromLoad): void => void process.send!(message)
let load: Load | undefined
process.on('message', async (message: ToLoad) => {
  if (message.kind === 'open') {
    load = new Load(message.options)
    await load.open()
    send({ kind: 'open' })
  } else load?.run(message)
})
process.on('disconnect', () => process.exit(0))
