// Where log lines go: file descriptors, written synchronously and in full.

import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** How long a line waits for a pipe or terminal that takes nothing before it is dropped. */
const STALL_MS = 1000

export class LineSink {
  readonly #outputs: readonly Output[]
  readonly #errors: readonly Output[]

  private constructor(outputs: readonly Output[], errors: readonly Output[]) {
    this.#outputs = outputs
    this.#errors = errors
  }

  /** Paths are stderr, stdout, files or file: URLs; files are appended to. Throws when one cannot be opened. */
  static open(outputs: readonly string[], errors: readonly string[]): LineSink {
    return new LineSink(outputs.map(openOutput), errors.map(openOutput))
  }

  write(line: string): void {
    for (const output of this.#outputs) {
      const problem = output.write(line)
      if (problem === undefined || output.complained) continue
      output.complained = true
      const words = `${new Date().toISOString()} write error: ${output.path}: ${problem}; lines are dropped until it takes them again\n`
      for (const error of this.#errors) error.write(words)
    }
  }

  close(): void {
    for (const output of [...this.#outputs, ...this.#errors]) output.close()
  }
}

function openOutput(path: string): Output {
  if (path === 'stderr') return new Output(path, 2, false)
  if (path === 'stdout') return new Output(path, 1, false)
  const file = path.startsWith('file:') ? fileURLToPath(path) : path
  return new Output(path, openSync(file, 'a', 0o644), true)
}

class Output {
  readonly path: string
  complained = false
  readonly #fd: number
  readonly #owned: boolean
  #closed = false
  /** The last line was given up: later ones try once and do not wait, until one goes through. */
  #stalled = false
  /** A line was cut in the middle. */
  #torn = false

  constructor(path: string, fd: number, owned: boolean) {
    this.path = path
    this.#fd = fd
    this.#owned = owned
  }

  /** What went wrong, or undefined. */
  write(line: string): string | undefined {
    if (this.#closed) return undefined
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line)
    let from = 0
    let giveUpAt = this.#stalled ? 0 : Number.POSITIVE_INFINITY
    while (from < bytes.byteLength) {
      try {
        from += writeSync(this.#fd, bytes, from)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        // A pipe or terminal that Node has made non-blocking is full: give its reader a moment.
        if (code !== 'EAGAIN') return message
        const now = performance.now()
        giveUpAt = Math.min(giveUpAt, now + STALL_MS)
        if (now >= giveUpAt) {
          this.#stalled = true
          this.#torn ||= from > 0
          return 'nothing was read for a second'
        }
        Atomics.wait(PAUSE, 0, 0, 1)
      }
    }
    this.#stalled = false
    this.#torn = false
    return undefined
  }

  close(): void {
    if (this.#owned && !this.#closed) closeSync(this.#fd)
    this.#closed = true
  }
}

/** Never written to: waiting on it is how a thread sleeps. */
const PAUSE = new Int32Array(new SharedArrayBuffer(4))
