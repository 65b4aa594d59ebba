// Starts the router, the sink and the senders of a whole-process case, each a process of its own, and asks them.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../test/support/router-process.ts'
import { Latencies } from './latencies.ts'
import type { FromLoad, LoadOptions, LoadReport, RunOptions, ToLoad } from './load.ts'
import type { BlasterOptions, FromBlaster, ToBlaster } from './mqtt-blaster.ts'
import type { FromMqttSink, ToMqttSink } from './mqtt-sink.ts'
import type { Signal } from './payloads.ts'
import type { ArrivalsOptions, FromSink, SinkMode, SinkOptions, SinkReport, ToSink } from './sink.ts'
import { readUsage, type Usage } from './usage.ts'

const ANSWER_WITHIN_MS = 120_000
/** From its first line on, and before it: on a machine that is busy elsewhere that line alone took 23 s. */
const START_WITHIN_MS = 30_000
const FIRST_LINE_WITHIN_MS = 120_000
const STOP_WITHIN_MS = 20_000

/** A free port; somebody else may take it before it is used, which then shows as a failed start. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0]!

/** A child that answers one message of each kind at a time. */
class Child<To extends object, From extends { readonly kind: string }> {
  readonly #file: string
  readonly #child: ChildProcess

  constructor(file: string, args: readonly string[] = []) {
    this.#file = file
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { serialization: 'advanced' })
  }

  async ask<Kind extends From['kind']>(
    kind: Kind,
    question?: To,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<Extract<From, { kind: Kind }>> {
    const answer = this.#next(kind, withinMs)
    if (question !== undefined) this.tell(question)
    return answer
  }

  tell(message: To): void {
    this.#child.send(message)
  }

  usage(): Usage {
    return readUsage(this.#child.pid!)
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }

  #next<Kind extends From['kind']>(kind: Kind, withinMs: number): Promise<Extract<From, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const late = new Error(`${this.#file}: no ${kind} within ${withinMs / 1000} s; does the router answer?`)
      const timer = setTimeout(() => done(() => reject(late)), withinMs)
      const onMessage = (message: unknown): void => {
        if ((message as From).kind === kind) done(() => resolve(message as Extract<From, { kind: Kind }>))
      }
      const onExit = (code: number | null): void => done(() => reject(new Error(`${this.#file} ended with ${code}`)))
      const done = (settle: () => void): void => {
        clearTimeout(timer)
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
        settle()
      }
      this.#child.on('message', onMessage)
      this.#child.on('exit', onExit)
    })
  }
}

export interface SinkStart {
  /** Traces by default. */
  readonly signal?: Signal
  /** Pairs of ports; one by default. */
  readonly lanes?: number
  /** Of the first lane. Ports 0, the default, are any that are free. */
  readonly ports?: { readonly grpc: number; readonly http: number }
  /** For arrivals(). */
  readonly arrivals?: boolean
  readonly itemsANumber?: number
}

export class SinkProcess {
  readonly #child: Child<ToSink, FromSink>
  /** The ports of each lane. */
  lanes: readonly { readonly grpc: number; readonly http: number }[] = []

  constructor({ signal = 'traces', lanes = 1, ports, arrivals = false, itemsANumber = 1 }: SinkStart = {}) {
    const free = { grpc: 0, http: 0 }
    const options: SinkOptions = {
      signal,
      arrivals,
      itemsANumber,
      lanes: Array.from({ length: lanes }, (_, lane) => (lane === 0 ? (ports ?? free) : free)),
    }
    this.#child = new Child('./sink.ts', [JSON.stringify(options)])
  }

  async start(): Promise<this> {
    this.lanes = (await this.#child.ask('listening')).lanes
    return this
  }

  /** Of the first lane. */
  get grpcPort(): number {
    return this.lanes[0]!.grpc
  }

  get httpPort(): number {
    return this.lanes[0]!.http
  }

  /** `itemsPerSecond` bounds what mode `answer` takes. */
  setMode(mode: SinkMode, itemsPerSecond?: number): void {
    this.#child.tell({ kind: 'mode', mode, ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }) })
  }

  usage(): Usage {
    return this.#child.usage()
  }

  /** How long requests of an open loop took from when they were due to the sink. */
  async arrivals(options: ArrivalsOptions): Promise<Latencies> {
    return new Latencies((await this.#child.ask('arrivals', { kind: 'arrivals', ...options })).latencies)
  }

  report(): Promise<SinkReport> {
    return this.#child.ask('report', { kind: 'report' })
  }

  /** Waits until so many different items came, `withinMs` have passed, or nothing came for `quietMs`; returns the last report. */
  async settled(items: number, withinMs: number, quietMs = withinMs): Promise<SinkReport> {
    const until = performance.now() + withinMs
    let quietUntil = performance.now() + quietMs
    let before = -1
    for (;;) {
      const report = await this.report()
      if (report.items !== before) quietUntil = performance.now() + quietMs
      before = report.items
      if (report.distinctItems >= items || performance.now() >= Math.min(until, quietUntil)) return report
      await pause(50)
    }
  }

  stop(): void {
    this.#child.stop()
  }
}

export class LoadProcess {
  readonly #child = new Child<ToLoad, FromLoad>('./load.ts')

  async start(options: LoadOptions): Promise<this> {
    await this.#child.ask('open', { kind: 'open', options })
    return this
  }

  run(options: RunOptions): Promise<LoadReport> {
    return this.#child.ask('report', { kind: 'run', ...options }, (options.forMs ?? 0) + ANSWER_WITHIN_MS)
  }

  usage(): Usage {
    return this.#child.usage()
  }

  stop(): void {
    this.#child.stop()
  }
}

/** A broker that sends. */
export class BlasterProcess {
  readonly #child = new Child<ToBlaster, FromBlaster>('./mqtt-blaster.ts')

  /** The port that it listens on. */
  async open(options: BlasterOptions): Promise<number> {
    return (await this.#child.ask('listening', { kind: 'open', options })).port
  }

  /** Resolves when a client has subscribed; ask before it can. */
  async subscribed(): Promise<void> {
    await this.#child.ask('subscribed')
  }

  /** Sends so many messages, rounded up; with QoS 1 until all are acknowledged. */
  go(messages: number): Promise<Extract<FromBlaster, { kind: 'sent' }>> {
    return this.#child.ask('sent', { kind: 'go', messages })
  }

  stop(): void {
    this.#child.stop()
  }
}

/** A broker that takes. */
export class MqttSinkProcess {
  readonly #child = new Child<ToMqttSink, FromMqttSink>('./mqtt-sink.ts')

  /** The port that it listens on. */
  async start(): Promise<number> {
    return (await this.#child.ask('listening')).port
  }

  /** Messages so far. */
  async messages(): Promise<number> {
    return (await this.#child.ask('count', { kind: 'count' })).messages
  }

  stop(): void {
    this.#child.stop()
  }
}

/** For programs that start routers: these end with them also when a signal ends them. */
export function endOnSignals(): void {
  process.once('SIGHUP', () => process.exit(129))
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
}

/** How a router is started: as users do, by the launcher that an installed package has; or as who works on it does. */
export type Entry = 'launcher' | 'sources'

const ENTRIES: Readonly<Record<Entry, string>> = { launcher: '../../bin/millrace.js', sources: '../../src/main.ts' }

export const ownCommand = (entry: Entry = 'launcher'): readonly string[] => [
  process.execPath,
  fileURLToPath(new URL(ENTRIES[entry], import.meta.url)),
]

export interface StartOptions {
  readonly entry?: Entry
  /** Another program, called with the same `--config FILE`. */
  readonly command?: readonly string[]
  /** More arguments. */
  readonly args?: readonly string[]
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** A program that becomes the router, with its arguments: `prlimit --fsize=1000000`. */
  readonly through?: readonly string[]
}

/** A router: Millrace, or another program that reads the same file. */
export class RouterProcess {
  /** Its configuration, and whatever it is to keep; removed by stop(). */
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  readonly #file = join(this.folder, 'config.yaml')
  #child: ChildProcess | undefined
  #output = ''

  /**
   * Starts it and waits until `ready` says that it serves; returns the milliseconds from exec until then. One that has
   * ended may be started again.
   */
  async start(config: string, ready: () => Promise<boolean>, options: StartOptions = {}): Promise<number> {
    this.writeConfig(config)
    const router = options.command ?? ownCommand(options.entry)
    const [program = '', ...args] = [...(options.through ?? []), ...router]
    const from = performance.now()
    const child = spawn(program, [...args, '--config', this.#file, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      // A group of its own, so that what it has started ends with it.
      detached: true,
    })
    this.#child = child
    // The load and the sink end with the channel to us; a router knows nothing of that.
    const endWithUs = (): void => {
      killGroup(child)
      rmSync(this.folder, { recursive: true, force: true })
    }
    process.once('exit', endWithUs)
    child.once('exit', () => {
      process.off('exit', endWithUs)
      killGroup(child)
    })
    let until = from + FIRST_LINE_WITHIN_MS
    const speaks = (): void => void (until = Math.min(until, performance.now() + START_WITHIN_MS))
    for (const stream of [child.stdout, child.stderr])
      stream
        .setEncoding('utf8')
        .once('data', speaks)
        .on('data', (text: string) => {
          this.#output = (this.#output + text).slice(-4000)
        })
    while (!(await ready())) {
      if (!isRunning(child))
        throw new Error(`the router ended with ${child.exitCode ?? child.signalCode}:\n${this.#output}`)
      if (performance.now() > until) throw new Error(`the router does not answer:\n${this.#output}`)
      await pause(2)
    }
    return performance.now() - from
  }

  usage(): Usage {
    return readUsage(this.#child!.pid!)
  }

  /** Waits for something that the router has a part in; fails at once when the router ends meanwhile. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    const child = this.#child!
    let ended = (): void => {}
    const end = new Promise<never>((_, reject) => {
      ended = () => reject(new Error(`the router ended with ${child.exitCode ?? child.signalCode} in the middle of it`))
      if (isRunning(child)) child.once('exit', ended)
      else ended()
    })
    try {
      return await Promise.race([work, end])
    } finally {
      child.off('exit', ended)
    }
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return isRunning(this.#child)
  }

  /** For a reload. */
  writeConfig(config: string): void {
    writeFileSync(this.#file, config)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Ends it, by force when it takes too long; resolves to its exit code, or null where a signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined || !isRunning(child)) return child?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill(signal)
    const timer = setTimeout(() => killGroup(child), STOP_WITHIN_MS)
    const code = await ended
    clearTimeout(timer)
    return code
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A program and what is left of all that it has started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}

const isRunning = (child: ChildProcess | undefined): boolean =>
  child !== undefined && child.exitCode === null && child.signalCode === null

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
