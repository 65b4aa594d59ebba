// One scrape: all series that are alive, in slices, so that a long one lets everything else have its turn, and no faster than
// its reader reads.

import type { Clock } from '../../graph/clock.ts'
import type { Accumulator } from './accumulator.ts'
import { type ChunkPool, Chunks } from './chunks.ts'
import type { Choice, Format } from './format.ts'
import { ProtobufFormat } from './protobuf-format.ts'
import type { Family, SeriesTable } from './series.ts'
import { TextFormat } from './text-format.ts'

/** How long a slice may work on the event loop. */
const SLICE_MS = 3
/** Written between two looks at the clock. */
const BYTES_A_LOOK = 16 * 1024

export interface ScrapeOptions {
  readonly choice: Choice
  /** Samples carry the time of their points. */
  readonly timestamps: boolean
  /** Of target_info. */
  readonly targetName: string
}

export interface ScrapeOutput {
  /** Called once, before anything is written. */
  begin(contentType: string): void
  /**
   * A promise where the reader has to catch up first. False: nobody reads any more. The bytes are the reader's until it calls
   * `whenRead`.
   */
  write(bytes: Buffer, whenRead: () => void): true | false | Promise<boolean>
}

/** Resolves when all of it is written, or nobody reads any more. */
export async function scrape(
  accumulator: Accumulator,
  clock: Clock,
  pool: ChunkPool,
  options: ScrapeOptions,
  output: ScrapeOutput,
): Promise<void> {
  const { series } = accumulator
  const out = new Chunks(pool)
  const format = makeFormat(out, pool, series, options)
  output.begin(format.contentType)
  let sliceEnds = clock.monotonic() + SLICE_MS
  let nextLook = BYTES_A_LOOK
  /** False when nobody reads any more. */
  const pass = async (): Promise<boolean> => {
    for (const chunk of out.takeFull()) {
      const written = output.write(chunk.bytes.subarray(0, chunk.length), () => pool.give(chunk))
      if (!(written instanceof Promise ? await written : written)) return false
    }
    nextLook = format.written + BYTES_A_LOOK
    if (clock.monotonic() < sliceEnds) return true
    await new Promise(setImmediate)
    sliceEnds = clock.monotonic() + SLICE_MS
    return true
  }
  series.openReader()
  try {
    // Families that come later are in the next one.
    for (const family of series.families) {
      const place: Place = { next: 0, isBegun: false }
      do {
        addSeries(format, series, family, place, nextLook)
        if (format.written >= nextLook && !(await pass())) return
      } while (place.next < family.slots.length)
      if (place.isBegun) format.end()
    }
    let hasTargets = false
    for (const text of targetTexts(accumulator)) {
      if (!hasTargets) format.begin({ name: options.targetName, type: 'gauge', help: 'Target metadata' })
      hasTargets = true
      format.addInfo(text)
      if (format.written >= nextLook && !(await pass())) return
    }
    if (hasTargets) format.end()
    format.close()
    out.closeLast()
    await pass()
  } finally {
    series.closeReader()
    format.drop()
    out.drop()
  }
}

/** How far a family has been written. */
interface Place {
  next: number
  isBegun: boolean
}

/** Goes on until all series are in, or the whole has grown to `until` bytes. A loop of its own, which the compiler can tell. */
function addSeries(format: Format, series: SeriesTable, family: Family, place: Place, until: number): void {
  const { slots } = family
  while (place.next < slots.length && format.written < until) {
    const slot = slots[place.next++]!
    if (!series.isAlive(slot)) continue
    if (!place.isBegun) format.begin(family)
    place.isBegun = true
    format.add(family, slot)
  }
}

function makeFormat(out: Chunks, pool: ChunkPool, series: SeriesTable, { choice, timestamps }: ScrapeOptions): Format {
  const options = { escaping: choice.escaping, timestamps }
  if (choice.form === 'protobuf') return new ProtobufFormat(out, new Chunks(pool), series, options)
  return new TextFormat(
    out,
    series,
    choice.form === 'openmetrics' ? { ...options, openMetrics: choice.version } : options,
  )
}

/** One for each job and instance: of the resource that came first. */
function* targetTexts(accumulator: Accumulator): Generator<string> {
  const seen = new Set<string>()
  for (const { key, text } of accumulator.targets()) {
    if (seen.has(key)) continue
    seen.add(key)
    yield text
  }
}
