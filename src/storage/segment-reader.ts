// Reads the records of one file in order, a window at a time, so that memory does not grow with what is stored.
//
// What cannot be read is stepped over: the next sound record goes on, and whoever reads compares what came with what the
// file should hold. An error of the disk ends the reading of the file.

import type { StoredFile } from './files.ts'
import { BAD, HEADER_BYTES, RECORD_HEADER_BYTES, RECORD_MARK, type RecordView, readRecord } from './format.ts'
import type { ReadGarbage } from './garbage.ts'

/** Records are read so many bytes at a time; a larger one by itself, with the header of the next. */
const WINDOW_BYTES = 256 * 1024
const LARGE_BYTES = WINDOW_BYTES / 4

export interface ReadableFile {
  readonly number: number
  /** Where its records end; may grow while it is read. */
  readonly bytes: number
}

export class SegmentReader {
  readonly #file: ReadableFile
  readonly #handle: StoredFile
  readonly #garbage: ReadGarbage | undefined
  /** Of the next record. */
  #at: number
  #window: Uint8Array = new Uint8Array(0)
  #windowFrom = 0

  constructor(file: ReadableFile, handle: StoredFile, from = HEADER_BYTES, garbage?: ReadGarbage) {
    this.#file = file
    this.#handle = handle
    this.#at = from
    this.#garbage = garbage
  }

  get position(): number {
    return this.#at
  }

  /** The next record that lies in what was read already; undefined when it takes a read, or there is none. */
  tryNext(): RecordView | undefined {
    const from = this.#at - this.#windowFrom
    if (from < 0 || from >= this.#window.length) return undefined
    const record = readRecord(this.#window, from, this.#file.number, this.#file.bytes - this.#at)
    if (typeof record !== 'object') return undefined
    this.#at = this.#windowFrom + record.end
    return record
  }

  /** The next sound record, or undefined behind the last one. Throws what the disk says. */
  async next(): Promise<RecordView | undefined> {
    for (;;) {
      const left = this.#file.bytes - this.#at
      if (left <= 0) return undefined
      const record = readRecord(this.#window, this.#inWindow(), this.#file.number, left)
      if (typeof record === 'object') {
        this.#at = this.#windowFrom + record.end
        return record
      }
      if (record !== BAD) {
        if (!(await this.#fill(record))) this.#at = this.#file.bytes
      } else if (!(await this.#seek())) return undefined
    }
  }

  #inWindow(): number {
    const at = this.#at - this.#windowFrom
    return at < 0 || at > this.#window.length ? this.#window.length : at
  }

  /** Moves the window to the next record, with at least `bytes` of it; false when the file has no more. */
  async #fill(bytes: number): Promise<boolean> {
    const left = this.#file.bytes - this.#at
    const have = this.#window.length - this.#inWindow()
    const want = Math.min(left, bytes < LARGE_BYTES ? WINDOW_BYTES : bytes + RECORD_HEADER_BYTES)
    // Records that were handed out still point into the old one.
    const window = new Uint8Array(Buffer.allocUnsafeSlow(want).buffer)
    this.#garbage?.add(want)
    const filled = await this.#handle.read(window, this.#at)
    this.#window = window.subarray(0, filled)
    this.#windowFrom = this.#at
    return filled >= bytes && filled > have
  }

  /** Goes to the next mark behind a bad place. */
  async #seek(): Promise<boolean> {
    this.#at++
    for (;;) {
      if (this.#file.bytes - this.#at < RECORD_MARK.length) {
        this.#at = this.#file.bytes
        return false
      }
      const from = this.#inWindow()
      const view = Buffer.from(this.#window.buffer, this.#window.byteOffset, this.#window.length)
      const found = view.indexOf(RECORD_MARK, from)
      if (found >= from && found >= 0) {
        this.#at = this.#windowFrom + found
        return true
      }
      // A mark may be cut by the window's end.
      this.#at = Math.max(this.#at, this.#windowFrom + this.#window.length - RECORD_MARK.length + 1)
      if (!(await this.#fill(RECORD_MARK.length))) {
        this.#at = this.#file.bytes
        return false
      }
    }
  }
}
