// What a function case is, and how one case is measured inside its own process.
//
//   NAME.bench.ts   export default bench({...})            a function, called again and again in one process
//                   export default [bench({...}), ...]     several
//                   export default measured({...})         a case that measures other processes by itself
//
//   run.ts  -> lists the cases, starts child.ts once per case  -> measure() here  -> one line of JSON back to run.ts
//
// A case file must be cheap to import: the parent imports all of them for their names. Payloads belong into setup().

import { getHeapStatistics } from 'node:v8'
import { median } from '../results.ts'

/** A number, or how to find it once setup() has made the input. */
export type Amount<State> = number | ((state: State) => number)

export interface BenchCase<State = undefined> {
  /** Group and case, for example `check/spans-1000`; `npm run bench -- REGEX` selects by it. */
  readonly name: string
  /** Items (spans, points, records) that one call of run() handles. */
  readonly items: Amount<State>
  /** Encoded bytes that one call of run() handles. */
  readonly bytes: Amount<State>
  /** Makes the input; not measured. */
  readonly setup?: () => State | Promise<State>
  /** What is measured. Return something that depends on the work, so that no compiler can leave it out. */
  readonly run: (state: State) => unknown
  /** Calls per round; by default as many as fill a quarter of a second. */
  readonly iterations?: number
}

/** A case that measures other processes; it reports rows in the harness's own terms. */
export interface MeasuredCase {
  readonly name: string
  readonly measure: (options: MeasureOptions) => Promise<readonly BenchResult[]>
}

// biome-ignore lint/suspicious/noExplicitAny: a list of cases holds cases of every state
export type AnyCase = ({ readonly kind: 'function' } & BenchCase<any>) | ({ readonly kind: 'measured' } & MeasuredCase)

export const bench = <State = undefined>(definition: BenchCase<State>) =>
  ({ ...definition, kind: 'function' }) as const satisfies AnyCase
export const measured = (definition: MeasuredCase) => ({ ...definition, kind: 'measured' }) as const satisfies AnyCase

/** One line of the table. A figure that a case cannot know is absent, never zero. */
export interface BenchResult {
  readonly name: string
  readonly items: number
  readonly cpuSecondsPerMillionItems?: number
  readonly itemsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly peakRssBytes?: number
  /** Bytes allocated on the JavaScript heap per item, all of it garbage sooner or later. */
  readonly allocatedBytesPerItem?: number
  /** Whatever else the case counted: losses, start-up time. */
  readonly notes?: Readonly<Record<string, number | string>>
}

export interface MeasureOptions {
  /** Rounds whose median counts. */
  readonly rounds: number
  /** Least time of a round, where the case does not fix its iterations. */
  readonly roundMs: number
  readonly warmUpMs: number
}

export const DEFAULT_OPTIONS: MeasureOptions = { rounds: 7, roundMs: 250, warmUpMs: 400 }

export interface Round {
  readonly calls: number
  readonly wallMs: number
  /** User and system time of all threads of the process, garbage collection included. */
  readonly cpuMicros: number
  readonly allocatedBytes: number
}

/** The medians of the rounds, each per item. */
export function summarize(
  name: string,
  itemsPerCall: number,
  bytesPerCall: number,
  rounds: readonly Round[],
  peakRssBytes: number,
): BenchResult {
  const per = (value: (round: Round) => number): number => median(rounds.map(value))
  return {
    name,
    items: rounds.reduce((sum, round) => sum + round.calls * itemsPerCall, 0),
    cpuSecondsPerMillionItems: per((round) => round.cpuMicros / (round.calls * itemsPerCall)),
    itemsPerSecond: per((round) => (round.calls * itemsPerCall) / (round.wallMs / 1000)),
    bytesPerSecond: per((round) => (round.calls * bytesPerCall) / (round.wallMs / 1000)),
    peakRssBytes,
    allocatedBytesPerItem: per((round) => round.allocatedBytes / (round.calls * itemsPerCall)),
  }
}

// V8 counts allocation by the linear areas it hands out (some tens of KiB), so a round has to be long enough that one
// area more or less does not show. Buffers' contents live outside the heap and are not counted; their handles are.
const allocatedBytes = (): number =>
  (getHeapStatistics() as unknown as { total_allocated_bytes: number }).total_allocated_bytes

const calibrate = (calls: number, wallMs: number, roundMs: number): number =>
  Math.max(1, Math.ceil((calls / Math.max(wallMs, 1e-3)) * roundMs))

/** Warms up, runs the rounds, returns their medians. Belongs into a process of its own: see child.ts. */
export async function measure<State>(
  definition: BenchCase<State>,
  options: MeasureOptions = DEFAULT_OPTIONS,
): Promise<BenchResult> {
  const { run } = definition
  const state = (await definition.setup?.()) as State
  const amount = (value: Amount<State>): number => (typeof value === 'function' ? value(state) : value)
  let sink: unknown

  const warmUpFrom = performance.now()
  let warmUpCalls = 0
  let isAsync = false
  do {
    sink = run(state)
    if (sink instanceof Promise) {
      isAsync = true
      sink = await sink
    }
    warmUpCalls++
  } while (warmUpCalls < 3 || performance.now() - warmUpFrom < options.warmUpMs)

  const calls = definition.iterations ?? calibrate(warmUpCalls, performance.now() - warmUpFrom, options.roundMs)
  const rounds: Round[] = []
  for (let round = 0; round < options.rounds; round++) {
    globalThis.gc?.()
    const allocatedFrom = allocatedBytes()
    const cpuFrom = process.cpuUsage()
    const wallFrom = performance.now()
    if (isAsync) for (let i = 0; i < calls; i++) sink = await run(state)
    else for (let i = 0; i < calls; i++) sink = run(state)
    const wallMs = performance.now() - wallFrom
    const cpu = process.cpuUsage(cpuFrom)
    rounds.push({
      calls,
      wallMs,
      cpuMicros: cpu.user + cpu.system,
      allocatedBytes: allocatedBytes() - allocatedFrom,
    })
  }
  lastValue = sink
  return summarize(
    definition.name,
    amount(definition.items),
    amount(definition.bytes),
    rounds,
    process.resourceUsage().maxRSS * 1024,
  )
}

/** The last call's value escapes through here, so that run() has an effect. */
export let lastValue: unknown
