// Series as remote write knows them: by their labels. What a message needs of one is made when it is first seen, and copied
// into every message after that.

import { type ByteKeyed, ByteTable } from '../../collections/byte-table.ts'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import type { Label } from '../../prometheus/labels.ts'
import { LABEL, TIME_SERIES, V2_REQUEST } from '../../prometheus/remote-write-fields.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { Writer } from '../../wire/writer.ts'
import type { Request } from './request.ts'

/** A text of 2.0: its place in the message that is being written. */
export interface Text {
  /** A whole field of the message. */
  readonly field: Words
  /** The number of the message for which `place` counts. */
  message: number
  place: number
}

/** What all series of a metric have in common. */
export interface Family {
  readonly name: string
  /** Types have the same numbers in both versions. */
  readonly type: number
  readonly help: string
  readonly unit: string
  readonly helpText: Text
  readonly unitText: Text
  /** When 1.0 has told them. */
  toldMs: number
}

export interface Series extends ByteKeyed {
  /** For 1.0: the labels of a TimeSeries, by name. */
  readonly labels: Words
  /** For 2.0: name, value, name, value. */
  readonly texts: readonly Text[]
  /** Bytes of those, where none of them is there yet. */
  readonly textBytes: number
  readonly family: Family
  /** The same labels have the same one everywhere. */
  readonly hash: number
  /** Where it stands in the request that gathers now. */
  request: Request | undefined
  slot: number
}

export class SeriesBook {
  readonly #series = new ByteTable<Series>()
  readonly #texts = new Map<string, Text>()
  readonly #writer = new Writer()
  readonly #pair = new Writer()

  get size(): number {
    return this.#series.size
  }

  family(name: string, type: number, help: string, unit: string): Family {
    const [helpText, unitText] = [this.#text(help), this.#text(unit)]
    return { name, type, help, unit, helpText, unitText, toldMs: -Infinity }
  }

  /** `labels` by name, each name once, with the metric's among them; what is empty is no label. */
  series(labels: readonly Label[], family: Family): Series {
    const writer = this.#writer.clear()
    for (const [name, value] of labels) {
      if (value === '') continue
      const pair = this.#pair.clear()
      pair.field(LABEL.NAME, Buffer.from(name)).field(LABEL.VALUE, Buffer.from(value))
      writer.field(TIME_SERIES.LABELS, pair.bytes, 0, pair.length)
    }
    const known = this.#series.find(writer.bytes, 0, writer.length)
    if (known !== undefined) return known
    const key = writer.toBytes()
    const texts = labels.filter(([, value]) => value !== '').flatMap((label) => label.map((text) => this.#text(text)))
    return this.#series.add({
      key,
      labels: wordsOf(key),
      texts,
      textBytes: texts.reduce((sum, { field }) => sum + field.bytes.length, 0),
      family,
      hash: crcOf(EMPTY_CRC, key),
      request: undefined,
      slot: 0,
    })
  }

  #text(text: string): Text {
    let known = this.#texts.get(text)
    if (known === undefined) {
      const field = this.#pair.clear().field(V2_REQUEST.SYMBOLS, Buffer.from(text)).toBytes()
      known = { field: wordsOf(field), message: 0, place: 0 }
      this.#texts.set(text, known)
    }
    return known
  }
}
