// Which records of one segment need no sending any more, appended soon after they are settled. Many share a write, and none
// waits for the disk: what a crash loses here is sent once more, and that is no more than was on its way.

import type { Files, StoredFile } from './files.ts'
import { encodeHeader, FILE_KIND, HEADER_BYTES, SETTLED_BYTES, writeSettled } from './format.ts'

export class SettledLog {
  readonly #files: Files
  readonly #path: string
  readonly #number: number
  #handle: StoredFile | undefined
  #exists: boolean
  #bytes: number
  /** index, items, bytes; again and again. */
  #pending: number[] = []
  #running: Promise<void> | undefined
  #over = false

  /** `entries`: how many good ones the file has; undefined when there is no file yet. */
  constructor(files: Files, path: string, number: number, entries: number | undefined) {
    this.#files = files
    this.#path = path
    this.#number = number
    this.#exists = entries !== undefined
    this.#bytes = HEADER_BYTES + (entries ?? 0) * SETTLED_BYTES
  }

  add(index: number, items: number, bytes: number): void {
    if (this.#over) return
    this.#pending.push(index, items, bytes)
    this.#running ??= this.#run()
  }

  /** Writes what was added and closes the file. */
  async close(): Promise<void> {
    this.#over = true
    await this.#running
    await this.#handle?.close().catch(() => undefined)
    this.#handle = undefined
  }

  async remove(): Promise<void> {
    this.#pending = []
    await this.close()
    if (this.#exists) await this.#files.remove(this.#path).catch(() => undefined)
  }

  async #run(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#pending.length > 0) {
      const entries = this.#pending
      this.#pending = []
      const count = entries.length / 3
      const bytes = Buffer.allocUnsafe(count * SETTLED_BYTES)
      for (let i = 0; i < count; i++)
        writeSettled(bytes, i * SETTLED_BYTES, this.#number, entries[3 * i]!, entries[3 * i + 1]!, entries[3 * i + 2]!)
      try {
        await this.#write(bytes)
        this.#bytes += bytes.length
      } catch {
        // A full disk: with the next ones, at the same place. Should the process end before that, they are sent again.
        this.#pending = entries.concat(this.#pending)
        break
      }
    }
    this.#running = undefined
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#handle === undefined) {
      this.#handle = this.#exists ? await this.#files.open(this.#path, 'write') : await this.#files.create(this.#path)
      this.#exists = true
    }
    // The header goes with the first entries, also after a first write that failed.
    if (this.#bytes > HEADER_BYTES) return await this.#handle.write([bytes], this.#bytes)
    await this.#handle.write([encodeHeader(FILE_KIND.settled, this.#number), bytes], 0)
  }
}
