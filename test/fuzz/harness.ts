// A small mutation fuzzer: seeded, bounded, and the same every time it runs.
//
//   test('...', () => fuzz({ name: 'check', inputs: 2000, run: (bytes) => ... }))
//
// It starts from the files in corpus/<name>/ and mangles them: bits, bytes, lengths, cuts, copies, pieces of two files,
// words of the format. run() throws when it finds something; the failure then names the seed and shows the input, which
// becomes a new file in the corpus. FUZZ_SEED asks for other inputs, FUZZ_RUNS for another number of them.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Choose, chooser } from '../support/scramble.ts'

export interface FuzzTarget {
  /** Folder of seed files below corpus/. */
  readonly name: string
  /** How many inputs beside the corpus itself. */
  readonly inputs: number
  /** More to start from, where files for another test serve here too. */
  readonly seeds?: readonly Uint8Array[]
  /** Words that mean something in the format, to be put anywhere. */
  readonly words?: readonly string[]
  /** Throws when something is wrong. What a bad input may do is for the target to say. */
  readonly run: (bytes: Uint8Array) => void | Promise<void>
}

// Larger inputs find nothing that smaller ones do not, and cost time.
const MAX_BYTES = 1 << 14
/** Of processor time: any input is done within milliseconds; this much means that something grows too fast. */
const MAX_INPUT_MS = 3000

/** How many inputs to run: FUZZ_RUNS, or what the tests can afford. */
export const runs = (usual: number): number => Number(process.env.FUZZ_RUNS ?? usual)

export function corpus(name: string): Uint8Array[] {
  const folder = new URL(`./corpus/${name}/`, import.meta.url)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((file) => new Uint8Array(readFileSync(new URL(file, folder))))
}

export async function fuzz(target: FuzzTarget): Promise<void> {
  const seeds = [...corpus(target.name), ...(target.seeds ?? [])]
  if (seeds.length === 0) throw new Error(`test/fuzz/corpus/${target.name} is empty`)
  const words = (target.words ?? []).map((word) => new Uint8Array(Buffer.from(word)))
  const seed = Number(process.env.FUZZ_SEED ?? 1)
  const choose = chooser(seed)
  for (const bytes of seeds) await attempt(target, bytes, seed)
  const inputs = runs(target.inputs)
  for (let i = 0; i < inputs; i++) {
    let bytes = seeds[choose(seeds.length)]!
    for (let changes = 1 + choose(3); changes > 0; changes--)
      bytes = words.length > 0 && choose(2) === 0 ? putWord(bytes, words, choose) : mutate(bytes, seeds, choose)
    const attempted = attempt(target, bytes.slice(0, MAX_BYTES), seed)
    if (attempted !== undefined) await attempted
  }
}

/** A promise only where the target gave one: a turn of the event loop costs more than most inputs. */
function attempt(target: FuzzTarget, bytes: Uint8Array, seed: number): Promise<void> | undefined {
  const before = process.cpuUsage()
  const found = (error: unknown): never => {
    const base64 = Buffer.from(bytes).toString('base64')
    throw new Error(`fuzz target ${target.name}, FUZZ_SEED=${seed}, input in base64: ${base64}`, { cause: error })
  }
  const ended = (): void => {
    const { user, system } = process.cpuUsage(before)
    const tookMs = (user + system) / 1000
    if (tookMs > MAX_INPUT_MS) found(new Error(`took ${tookMs.toFixed(0)} ms`))
  }
  try {
    const result = target.run(bytes)
    if (result !== undefined) return result.then(ended, found)
  } catch (error) {
    found(error)
  }
  ended()
  return undefined
}

function putWord(bytes: Uint8Array, words: readonly Uint8Array[], choose: Choose): Uint8Array {
  const at = choose(bytes.length + 1)
  const over = choose(3) === 0 ? choose(12) : 0
  return concat(bytes.subarray(0, at), words[choose(words.length)]!, bytes.subarray(at + over))
}

const EDGES = [0, 1, 2, 7, 8, 0x0a, 0x12, 0x7f, 0x80, 0x81, 0xff]

function mutate(bytes: Uint8Array, seeds: readonly Uint8Array[], choose: Choose): Uint8Array {
  if (bytes.length === 0) return seeds[choose(seeds.length)]!
  const at = choose(bytes.length)
  const size = 1 + choose(Math.min(32, bytes.length - at))
  switch (choose(8)) {
    case 0: // one bit
      return bytes.with(at, bytes[at]! ^ (1 << choose(8)))
    case 1: // one byte
      return bytes.with(at, EDGES[choose(EDGES.length)]!)
    case 2: // a number a little larger or smaller
      return bytes.with(at, bytes[at]! + choose(5) - 2)
    case 3: // cut short
      return bytes.slice(0, at)
    case 4: // without a piece
      return concat(bytes.subarray(0, at), bytes.subarray(at + size))
    case 5: // a piece twice
      return concat(bytes.subarray(0, at + size), bytes.subarray(at))
    case 6: {
      // a piece of another file
      const other = seeds[choose(seeds.length)]!
      const from = choose(other.length || 1)
      return concat(bytes.subarray(0, at), other.subarray(from, from + 1 + choose(64)), bytes.subarray(at))
    }
    default: {
      // random bytes over the old ones
      const changed = bytes.slice()
      for (let i = at; i < at + size; i++) changed[i] = choose(256)
      return changed
    }
  }
}

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
