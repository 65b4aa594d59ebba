// One scrape: all series that are alive, in slices, so that a long one lets everything else have its turn, and no faster than
// its reader reads.

import type { Clock } from '../../graph/clock.ts'
import { labelText } from '../../prometheus/escape.ts'
import type { Accumulator } from './accumulator.ts'
import { ByteChunks, type Chunks, TextChunks } from './chunks.ts'
import type { Choice, Format } from './format.ts'
import { ProtobufFormat } from './protobuf-format.ts'
import { TextFormat } from './text-format.ts'

/** How long a slice may work on the event loop. */
const SLICE_MS = 3
/** Series between two looks at the clock. */
const SERIES_A_LOOK = 64

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
  /** A promise where the reader has to catch up first. False: nobody reads any more. */
  write(chunk: Buffer): true | false | Promise<boolean>
}

/** Resolves when all of it is written, or nobody reads any more. */
export async function scrape(
  accumulator: Accumulator,
  clock: Clock,
  options: ScrapeOptions,
  output: ScrapeOutput,
): Promise<void> {
  const { series } = accumulator
  const { out, format } = makeFormat(accumulator, options)
  output.begin(format.contentType)
  let untilLook = SERIES_A_LOOK
  let sliceEnds = clock.monotonic() + SLICE_MS
  const rest = async (): Promise<void> => {
    if (clock.monotonic() < sliceEnds) return
    await new Promise(setImmediate)
    sliceEnds = clock.monotonic() + SLICE_MS
  }
  /** False when nobody reads any more. */
  const pass = async (chunks: readonly Buffer[]): Promise<boolean> => {
    for (const chunk of chunks) {
      const written = output.write(chunk)
      if (!(written instanceof Promise ? await written : written)) return false
      await rest()
    }
    return true
  }
  series.openReader()
  try {
    // Families that come later are in the next one.
    for (const family of series.families) {
      let begun = false
      for (let i = 0; i < family.slots.length; i++) {
        const slot = family.slots[i]!
        if (series.isAlive(slot)) {
          if (!begun) format.begin(family)
          begun = true
          format.add(family, slot)
        }
        if (--untilLook > 0 && !out.hasFull) continue
        untilLook = SERIES_A_LOOK
        if (!out.hasFull) await rest()
        else if (!(await pass(out.takeFull()))) return
      }
      if (begun) format.end()
    }
    const targets = targetTexts(accumulator)
    if (targets.length > 0) format.info({ name: options.targetName, type: 'gauge', help: 'Target metadata' }, targets)
    format.close()
    await pass(out.takeAll())
  } finally {
    series.closeReader()
  }
}

function makeFormat(
  { series }: Accumulator,
  { choice, timestamps }: ScrapeOptions,
): { readonly out: Chunks; readonly format: Format } {
  const options = { escaping: choice.escaping, timestamps }
  if (choice.form === 'protobuf') {
    const out = new ByteChunks()
    return { out, format: new ProtobufFormat(out, series, options) }
  }
  const out = new TextChunks()
  const form = choice.form === 'openmetrics' ? { ...options, openMetrics: choice.version } : options
  return { out, format: new TextFormat(out, series, form) }
}

/** One for each job and instance: of the resource that came first. */
function targetTexts(accumulator: Accumulator): readonly string[] {
  const texts = new Map<string, string>()
  for (const { key, labels } of accumulator.targets()) if (!texts.has(key)) texts.set(key, labelText(labels))
  return [...texts.values()]
}
