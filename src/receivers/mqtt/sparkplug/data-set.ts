// Tables as values of a metric.
//
//   DataSet = 1 num_of_columns | 2 columns (repeated) | 3 types (repeated, packed or not) | 4 rows (repeated)
//   Row     = 1 elements (repeated): 1 int 2 long 3 float 4 double 5 boolean 6 string

import type { Marks } from '../../../readings/log-entry.ts'
import type { Readings } from '../../../readings/readings.ts'
import { PAYLOAD_DATA_SET, PAYLOAD_DATA_SET_ROW, PAYLOAD_DATA_SET_VALUE } from '../../../sparkplug/fields.ts'
import { textAt } from '../../../sparkplug/metric-view.ts'
import { NUMBER, NumberReader, TYPE } from '../../../sparkplug/numbers.ts'
import { Cursor } from '../../../wire/cursor.ts'
import { varintLow } from '../../../wire/varint.ts'
import type { Definition } from './edge-node.ts'
import type { Trouble } from './metric-writer.ts'

const COLUMNS_MAX = 256

export class DataSetReader {
  readonly #out: Readings
  readonly #maxRows: number
  readonly #trouble: Trouble
  readonly #numbers = new NumberReader()

  constructor(out: Readings, maxRows: number, trouble: Trouble) {
    this.#out = out
    this.#maxRows = maxRows
    this.#trouble = trouble
  }

  write(definition: Definition, bytes: Uint8Array, from: number, to: number, marks: Marks): void {
    const columns: string[] = []
    const types: number[] = []
    const rows: [from: number, to: number][] = []
    for (const c = new Cursor().reset(bytes, from, to); c.next(); ) {
      if (c.field === PAYLOAD_DATA_SET.COLUMNS && c.wireType === 2) columns.push(textAt(bytes, c.start, c.end))
      else if (c.field === PAYLOAD_DATA_SET.ROWS && c.wireType === 2) rows.push([c.start, c.end])
      else if (c.field === PAYLOAD_DATA_SET.TYPES && c.wireType === 0) types.push(varintLow(bytes, c.start))
      else if (c.field === PAYLOAD_DATA_SET.TYPES && c.wireType === 2)
        for (let at = c.start; at < c.end; ) {
          types.push(varintLow(bytes, at))
          while (at < c.end && bytes[at]! > 0x7f) at++
          at++
        }
    }
    if (columns.length !== types.length || columns.length > COLUMNS_MAX) {
      this.#trouble('wrong_type', `${definition.name()} has ${columns.length} columns and ${types.length} types`)
      return
    }
    if (rows.length > this.#maxRows)
      this.#trouble('too_many_elements', `${definition.name()} has ${rows.length} rows, more than max_elements`)
    for (const [index, [start, end]] of rows.slice(0, this.#maxRows).entries()) {
      const given: Marks = [...marks, ['sparkplug.index', String(index)]]
      if (!this.#row(definition.name(), columns, types, bytes, start, end, given))
        this.#trouble('wrong_type', `${definition.name()}: row ${index} does not have the columns of its table`)
    }
  }

  /** False: its cells are not those of the columns; nothing is written. */
  #row(
    name: string,
    columns: readonly string[],
    types: readonly number[],
    bytes: Uint8Array,
    from: number,
    to: number,
    given: Marks,
  ): boolean {
    const marks = [...given]
    const numbers: [column: string, value: number][] = []
    const cells = new Cursor().reset(bytes, from, to)
    const cell = new Cursor()
    let place = 0
    for (; cells.find(PAYLOAD_DATA_SET_ROW.ELEMENTS); place++) {
      const column = columns[place]
      if (column === undefined) return false
      cell.reset(bytes, cells.start, cells.end)
      // A cell without a value is null.
      if (!cell.next()) continue
      if (PAYLOAD_DATA_SET_VALUE.wireType[cell.field] !== cell.wireType) return false
      if (cell.field === PAYLOAD_DATA_SET_VALUE.STRING_VALUE) {
        marks.push([column, textAt(bytes, cell.start, cell.end)])
        continue
      }
      const form = this.#numbers.read(types[place]!, cell.field - 1, bytes, cell.start)
      if (form === NUMBER.NONE) return false
      const value = form === NUMBER.INT ? this.#numbers.integer : this.#numbers.value
      if (types[place] === TYPE.DateTime) marks.push([column, isoOf(value)])
      else if (Number.isFinite(value)) numbers.push([column, value])
    }
    if (place !== columns.length) return false
    if (numbers.length === 0) this.#out.log({ body: '', attributes: [['reading.name', name], ...marks] })
    else this.#out.mark(marks)
    for (const [column, value] of numbers) this.#out.readingOf(`${name}/${column}`, '', value)
    return true
  }
}

const isoOf = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))
