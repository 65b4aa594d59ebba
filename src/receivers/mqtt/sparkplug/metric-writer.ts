// What the value of a metric becomes.
//
//   numbers, DateTime     a point; integers stay integers, a DateTime is its milliseconds
//   Boolean               a point of 1 or 0
//   String, Text, UUID    the number that the rule's `words` have for it, else a log record
//   Bytes, File           a log record
//   array                 a point for each element, with `sparkplug.index`
//   dataset               for each row with `sparkplug.index` a point for each numeric column, named metric/column; texts of
//                         the row are attributes of its points, or a log record where it has no numbers
//   null                  a point without a value
//
// Marks: `data.quality` where it is not good, `sparkplug.historical`, `sparkplug.transient`.

import type { Marks } from '../../../readings/log-entry.ts'
import type { Slot } from '../../../readings/naming.ts'
import type { Readings } from '../../../readings/readings.ts'
import { isArray, readArray } from '../../../sparkplug/arrays.ts'
import { PAYLOAD_METRIC } from '../../../sparkplug/fields.ts'
import { type MetricView, textAt } from '../../../sparkplug/metric-view.ts'
import { NUMBER, NumberReader, TYPE } from '../../../sparkplug/numbers.ts'
import { DataSetReader } from './data-set.ts'
import type { Definition } from './edge-node.ts'
import { QUALITIES } from './properties.ts'

const HISTORICAL = 4
const TRANSIENT = 8
/** By quality and flags. */
const MARKS: readonly (Marks | undefined)[] = Array.from({ length: 16 }, (_, bits) => {
  const marks: [string, string | boolean][] = []
  if ((bits & 3) !== 0) marks.push(['data.quality', QUALITIES[bits & 3]!])
  if ((bits & HISTORICAL) !== 0) marks.push(['sparkplug.historical', true])
  if ((bits & TRANSIENT) !== 0) marks.push(['sparkplug.transient', true])
  return marks.length === 0 ? undefined : marks
})

export type Trouble = (reason: 'wrong_type' | 'bad_number' | 'too_many_elements', words: string) => void

export class MetricWriter {
  readonly #out: Readings
  readonly #maxElements: number
  readonly #trouble: Trouble
  readonly #numbers = new NumberReader()
  readonly #dataSets: DataSetReader
  readonly #indexed = new Map<number, Marks>()

  constructor(out: Readings, maxElements: number, trouble: Trouble) {
    this.#out = out
    this.#maxElements = maxElements
    this.#trouble = trouble
    this.#dataSets = new DataSetReader(out, maxElements, trouble)
  }

  /** The time has been set. A template is none of this. */
  write(definition: Definition, view: MetricView, words: ReadonlyMap<string, number>): void {
    const out = this.#out
    const { datatype } = definition
    const { valueField: field, bytes, valueFrom, valueTo } = view
    const bits = definition.quality | (view.isHistorical ? HISTORICAL : 0) | (view.isTransient ? TRANSIENT : 0)
    const marks = MARKS[bits]
    out.mark(marks)
    if (view.isNull || field === 0) {
      this.#unknown(definition, view, marks)
      return
    }
    const form =
      field <= PAYLOAD_METRIC.BOOLEAN_VALUE ? this.#numbers.metric(datatype, field, bytes, valueFrom) : NUMBER.NONE
    if (form !== NUMBER.NONE) {
      if (form === NUMBER.DOUBLE && !Number.isFinite(this.#numbers.value)) {
        this.#trouble('bad_number', `${definition.name()} is ${this.#numbers.value}`)
        this.#unknown(definition, view, marks)
        return
      }
      const slot = definition.generation === out.generation ? definition.slot! : this.#slot(definition)
      if (slot === undefined) return
      if (!view.isHistorical) {
        definition.isLive = true
        definition.marks = marks
      }
      if (form === NUMBER.INT) out.known(slot, this.#numbers.integer, this.#numbers)
      else out.known(slot, this.#numbers.value)
      return
    }
    if (field === PAYLOAD_METRIC.STRING_VALUE && isText(datatype)) {
      this.#text(definition, textAt(bytes, valueFrom, valueTo), words, marks)
    } else if (field === PAYLOAD_METRIC.BYTES_VALUE && isArray(datatype)) {
      this.#array(definition, view, bits)
    } else if (field === PAYLOAD_METRIC.BYTES_VALUE && (datatype === TYPE.Bytes || datatype === TYPE.File)) {
      out.log({
        body: bytes.slice(valueFrom, valueTo),
        attributes: [['reading.name', definition.name()], ...(marks ?? [])],
      })
    } else if (field === PAYLOAD_METRIC.DATASET_VALUE && datatype === TYPE.DataSet) {
      this.#dataSets.write(definition, bytes, valueFrom, valueTo, marks ?? [])
    } else this.#trouble('wrong_type', `${definition.name()} of data type ${datatype} has a value in field ${field}`)
  }

  /** Nobody knows the value any more; what was there ends. */
  end(definition: Definition): void {
    definition.isLive = false
    if (definition.slot === undefined) return
    if (definition.elements === 0) {
      this.#out.mark(definition.marks)
      this.#out.knownToBeUnknown(definition.slot)
      return
    }
    const bits = Math.max(0, MARKS.indexOf(definition.marks))
    for (let i = 0; i < definition.elements; i++) {
      this.#out.mark(this.#withIndex(bits, i))
      this.#out.knownToBeUnknown(definition.slot)
    }
  }

  #slot(definition: Definition): Slot | undefined {
    if (definition.generation !== this.#out.generation) {
      definition.slot = this.#out.slotOf(definition.key, definition.unit)
      definition.generation = definition.slot === undefined ? -1 : this.#out.generation
    }
    return definition.slot
  }

  #unknown(definition: Definition, view: MetricView, marks: Marks | undefined): void {
    if (view.isHistorical || !definition.isLive) {
      if (isText(definition.datatype) || definition.datatype >= TYPE.DataSet) return
      const slot = this.#slot(definition)
      if (slot !== undefined) this.#out.knownToBeUnknown(slot)
      return
    }
    this.end(definition)
    definition.marks = marks
  }

  #text(definition: Definition, text: string, words: ReadonlyMap<string, number>, marks: Marks | undefined): void {
    const out = this.#out
    const number = words.get(text)
    if (number === undefined) {
      out.log({ body: text, attributes: [['reading.name', definition.name()], ...(marks ?? [])] })
      return
    }
    const slot = this.#slot(definition)
    if (slot === undefined) return
    definition.isLive = true
    definition.marks = marks
    out.known(slot, number)
  }

  #array(definition: Definition, view: MetricView, bits: number): void {
    const out = this.#out
    let written = 0
    let isTooLong = false
    const { bytes, valueFrom, valueTo } = view
    const isRead = readArray(definition.datatype, bytes, valueFrom, valueTo, (value, index) => {
      if (index >= this.#maxElements) {
        isTooLong = true
        return
      }
      const marks = this.#withIndex(bits, index)
      if (typeof value === 'string') {
        out.log({ body: value, attributes: [['reading.name', definition.name()], ...marks] })
        return
      }
      if (!Number.isFinite(value)) return
      const slot = this.#slot(definition)
      if (slot === undefined) return
      out.mark(marks)
      out.known(slot, value)
      written = index + 1
    })
    if (!isRead) this.#trouble('wrong_type', `${definition.name()} is no array of data type ${definition.datatype}`)
    else if (isTooLong) this.#trouble('too_many_elements', `${definition.name()} has more elements than max_elements`)
    if (view.isHistorical || written === 0) return
    definition.isLive = true
    definition.marks = MARKS[bits]
    definition.elements = written
  }

  #withIndex(bits: number, index: number): Marks {
    const key = index * 16 + bits
    let marks = this.#indexed.get(key)
    if (marks === undefined) {
      marks = [...(MARKS[bits] ?? []), ['sparkplug.index', String(index)]]
      this.#indexed.set(key, marks)
    }
    return marks
  }
}

const isText = (datatype: number): boolean =>
  datatype === TYPE.String || datatype === TYPE.Text || datatype === TYPE.UUID
