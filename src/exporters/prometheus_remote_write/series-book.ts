// Series as remote write knows them: by their labels. What a message needs of one is made when it is first seen, and copied
// into every message after that.

import { type ByteKeyed, ByteTable } from '../../collections/byte-table.ts'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import type { Label } from '../../prometheus/labels.ts'
import { LABEL, TIME_SERIES, V2_REQUEST } from '../../prometheus/remote-write-fields.ts'
import { Writer } from '../../wire/writer.ts'
import type { Request } from './request.ts'

/** A text of 2.0: its number in the message that is being written. */
export interface Text {
  /** A whole field of the message. */
  readonly field: Uint8Array
  /** The number of the message for which `place` counts. */
  message: number
  place: number
}

/** A label, or several in a row: where in the message that is being written it stood last. */
export interface LabelField {
  /** Whole fields of a TimeSeries. */
  readonly field: Uint8Array
  /**
   * For 2.0: name, value, name, value; how many bytes their numbers take in the message for which `at` counts, and those bytes
   * where they are four at most.
   */
  readonly texts: readonly Text[]
  size: number
  packed: number
  /** Of several: each by itself. */
  readonly members: readonly LabelField[] | undefined
  /** The number of the message for which `at` counts. */
  message: number
  at: number
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
  /** By name. */
  readonly labels: readonly LabelField[]
  readonly labelBytes: number
  /** What labels and texts take at most. */
  readonly bytes: number
  readonly family: Family
  /** The same labels have the same one everywhere. */
  readonly hash: number
  /** Where its samples go, from its first sample on. */
  track: Track | undefined
  /** Its number in there. */
  place: number
}

/** Series whose samples come together: those of a histogram or a summary; or one alone. */
export interface Track {
  readonly series: readonly Series[]
  /** What their labels and texts take at most. */
  readonly bytes: number
  readonly hash: number
  /** Where it stands in the request that gathers now. */
  request: Request | undefined
  slot: number
}

/** For series that have none yet, each once. */
export function makeTrack(series: readonly Series[]): Track {
  const bytes = series.reduce((sum, { bytes: own }) => sum + own, 0)
  const track: Track = { series, bytes, hash: series[0]!.hash, request: undefined, slot: 0 }
  series.forEach((one, place) => {
    one.track = track
    one.place = place
  })
  return track
}

export class SeriesBook {
  readonly #series = new ByteTable<Series>()
  readonly #texts = new Map<string, Text>()
  readonly #labels = new ByteTable<LabelField & ByteKeyed>()
  readonly #key = new Writer()
  readonly #isV2: boolean
  readonly #pair = new Writer()
  readonly #one = new Writer()

  constructor(isV2: boolean) {
    this.#isV2 = isV2
  }

  get size(): number {
    return this.#series.size
  }

  family(name: string, type: number, help: string, unit: string): Family {
    const [helpText, unitText] = [this.#text(help), this.#text(unit)]
    return { name, type, help, unit, helpText, unitText, toldMs: -Infinity }
  }

  /**
   * `all` by name, each name once, with the metric's among them; what is empty is no label. Those between two names of `apart`
   * are known as one: for series that share all others.
   */
  series(all: readonly Label[], family: Family, apart?: readonly string[]): Series {
    const set = all.filter(([, value]) => value !== '')
    const labels = this.#groups(set, apart).map((group) => this.#field(group))
    const key = this.#key.clear()
    for (const { field } of labels) key.copy(field)
    const known = this.#series.find(key.bytes, 0, key.length)
    if (known !== undefined) return known
    const textBytes = labels.flatMap(({ texts }) => texts).reduce((sum, { field }) => sum + field.length + 4, 0)
    return this.#series.add({
      key: key.toBytes(),
      labels,
      labelBytes: key.length,
      bytes: this.#isV2 ? textBytes : key.length,
      family,
      hash: crcOf(EMPTY_CRC, key.bytes, 0, key.length),
      track: undefined,
      place: 0,
    })
  }

  #groups(labels: readonly Label[], apart: readonly string[] | undefined): Label[][] {
    if (apart === undefined) return labels.map((label) => [label])
    const groups: Label[][] = []
    let before = -1
    for (const label of labels) {
      // Where those that are apart would stand divides the others, whether they are there or not.
      const below = apart.filter((name) => isBelow(name, label[0])).length
      const place = 2 * below + Number(apart.includes(label[0]))
      if (place === before) groups.at(-1)!.push(label)
      else groups.push([label])
      before = place
    }
    return groups
  }

  #field(labels: readonly Label[]): LabelField {
    const pair = this.#pair.clear()
    for (const [name, value] of labels) {
      const one = this.#one.clear().field(LABEL.NAME, Buffer.from(name)).field(LABEL.VALUE, Buffer.from(value))
      pair.field(TIME_SERIES.LABELS, one.bytes, 0, one.length)
    }
    let known = this.#labels.find(pair.bytes, 0, pair.length)
    if (known === undefined) {
      const field = pair.toBytes()
      const texts = labels.flatMap((label) => label.map((text) => this.#text(text)))
      const members = labels.length === 1 ? undefined : labels.map((label) => this.#field([label]))
      known = this.#labels.add({ key: field, field, texts, members, size: 0, packed: 0, message: 0, at: 0 })
    }
    return known
  }

  #text(text: string): Text {
    let known = this.#texts.get(text)
    if (known === undefined) {
      const field = this.#pair.clear().field(V2_REQUEST.SYMBOLS, Buffer.from(text)).toBytes()
      known = { field, message: 0, place: 0 }
      this.#texts.set(text, known)
    }
    return known
  }
}

const isBelow = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
