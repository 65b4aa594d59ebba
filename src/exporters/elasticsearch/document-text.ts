// JSON of documents: one array for a whole `_bulk` body, into which values are copied out of encoded telemetry, and what
// documents have in common out of pieces.

import { CHAR } from '../../otlp/json/text.ts'
import { copyUnescaped } from '../../otlp/json/unescaped.ts'
import { isShortText } from '../../otlp/value.ts'
import { writeSmall } from '../../wire/digit-triples.ts'
import type { Piece } from '../../wire/piece.ts'
import { varintLow } from '../../wire/varint.ts'
import type { AttributePaths } from './attribute-paths.ts'
import { TIME_ROOM, TimeText } from './time-text.ts'
import { OVERRUN, SMALL_INTS, ValueText } from './value-text.ts'

const FIRST_BYTES = 16 * 1024

const INT_TAG = 0x18
const QUOTE_COMMA = CHAR.QUOTE | (CHAR.COMMA << 8)

/** Whether the AnyValue is an int of one to three bytes, and nothing else. */
const isSmallInt = (bytes: Uint8Array, from: number, to: number): boolean =>
  bytes[from] === INT_TAG && to - from >= 2 && to - from <= 4 && (to - from < 4 || bytes[from + 1]! > 0x7f)

export class DocumentText extends ValueText {
  readonly #epoch = new TimeText('epoch')
  readonly #iso = new TimeText('iso')

  get length(): number {
    return this.to
  }

  /** What was written so far; until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.out
  }

  /** An empty text with room for `bytes`, in `spare` where that is large enough. */
  begin(bytes = FIRST_BYTES, spare?: Uint8Array<ArrayBuffer>): this {
    this.to = 0
    if (spare !== undefined && spare.length >= bytes) this.use(spare)
    else if (this.out.length < bytes) this.use(new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer))
    return this
  }

  /** What was written, which is the caller's from now on. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.out.subarray(0, this.to)
    this.use(new Uint8Array(0))
    this.to = 0
    return taken
  }

  /** Forgets what was written behind `length`. */
  cut(length: number): void {
    this.to = length
  }

  put(byte: number): void {
    this.byte(byte)
  }

  /** Bytes that are JSON already. */
  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.reserve(to - from)
    const out = this.out
    let at = this.to
    if (to - from > 64) out.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at)
    else for (let i = from; i < to; i++) out[at++] = bytes[i]!
    this.to += to - from
  }

  piece(piece: Piece): void {
    this.reserve(piece.length + OVERRUN)
    this.to = piece.write(this.out, this.outWords, this.to)
  }

  /** `PIECE TEXT",` where the piece ends with the quote before the text in `source[from, to)`. */
  textMember(piece: Piece, source: Uint8Array, from: number, to: number): void {
    this.read(source)
    this.reserve(piece.length + to - from + 2 + OVERRUN)
    const words = this.outWords
    const start = piece.write(this.out, words, this.to)
    const end = copyUnescaped(this.sourceWords, from, to, words, start)
    if (end < 0) {
      this.to = start - 1
      this.string(from, to)
      this.byte(CHAR.COMMA)
      return
    }
    words.setInt16(end, QUOTE_COMMA, true)
    this.to = end + 2
  }

  /** `"KEY":VALUE,` of each attribute that was followed in `source`. */
  members(paths: AttributePaths, source: Uint8Array): void {
    this.read(source)
    const { count } = paths
    let out = this.out
    let words = this.outWords
    let to = this.to
    for (let i = 0; i < count; i++) {
      const key = paths.keyJson(i)
      const start = paths.valueStart(i)
      const end = paths.valueEnd(i)
      // Room for the usual ones: a short text and a short number.
      const room = key.length + end - start + OVERRUN
      if (to + room > out.length) {
        this.to = to
        this.reserve(room)
        out = this.out
        words = this.outWords
      }
      to = key.write(out, words, to)
      if (isShortText(source, start, end)) {
        const behind = copyUnescaped(this.sourceWords, start + 2, end, words, to)
        if (behind >= 0) {
          words.setInt16(behind, QUOTE_COMMA, true)
          to = behind + 2
          continue
        }
      } else if (isSmallInt(source, start, end)) {
        const value = varintLow(source, start + 1)
        if (value < SMALL_INTS) {
          to = writeSmall(words, to - 1, value)
          out[to++] = CHAR.COMMA
          continue
        }
      }
      this.to = to - 1
      this.value(source, start, end)
      this.byte(CHAR.COMMA)
      out = this.out
      words = this.outWords
      to = this.to
    }
    this.to = to
  }

  /** ASCII without anything to escape. */
  ascii(text: string): void {
    this.text(text)
  }

  /** `PIECE DIGITS",` where the piece ends with the quote before the digits of `source[from, to)`. */
  hexMember(piece: Piece, source: Uint8Array, from: number, to: number): void {
    this.reserve(piece.length + 2 * (to - from) + OVERRUN)
    const end = this.hexDigits(source, from, to, piece.write(this.out, this.outWords, this.to))
    this.outWords.setInt16(end, QUOTE_COMMA, true)
    this.to = end + 2
  }

  /** As TimeText has it. */
  epochMillis(low: number, high: number): void {
    this.reserve(TIME_ROOM)
    this.to = this.#epoch.write(this.out, this.outWords, this.to, low, high)
  }

  isoTime(low: number, high: number): void {
    this.reserve(TIME_ROOM)
    this.to = this.#iso.write(this.out, this.outWords, this.to, low, high)
  }
}
