// Several samples of one signal, or of some, in one message:
//
//   [{"t": 1767225600000, "v": 1.5}, ...]              also [t, v], and several names beside t instead of v
//   {"data": [...], "name": "vibration"}               the same under data, samples or points
//   {"start": 1767225600000, "dt": 10, "values": [..]} one value every dt; `values` may be lists under their names
//
// `dt` counts in the unit of `start` (seconds, milliseconds, ... by the size of the number), and seconds where `start` is a
// text or absent; then the samples end with the time of receipt.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { JSON_KIND, Name, NONE } from '../../../readings/json-tape.ts'
import { unitMs } from '../../../readings/timestamps.ts'
import { defineDecoder } from './decoder.ts'
import { Payload } from './payload.ts'

const names = (...texts: string[]): readonly Name[] => texts.map((text) => new Name(text))
const TIMES = names('t', 'ts', 'time', 'timestamp')
const VALUES = names('v', 'value')
const LISTS = names('data', 'samples', 'points')
const NAMES = names('name', 'metric', 'tag')
const UNITS = names('unit', 'u')
const START = names('start', 't0')
const STEP = names('dt', 'interval')
const SERIES = new Name('values')

export const samples = defineDecoder({
  name: 'samples',
  summary: 'Lists of samples: `[{t, v}]`, `{data: [...]}`, `{start, dt, values}`.',
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload

    function findOne(object: number, wanted: readonly Name[]): number {
      for (const name of wanted) {
        const node = tape.find(object, name)
        if (node !== NONE) return node
      }
      return NONE
    }

    const unitAt = (object: number): Uint8Array | undefined => {
      const node = findOne(object, UNITS)
      return node !== NONE && tape.isText(node) ? Buffer.from(tape.text(node)) : undefined
    }

    function nameAt(object: number): boolean {
      const node = findOne(object, NAMES)
      if (node === NONE || !tape.isText(node)) return false
      payload.nameIs(NO_NAME)
      payload.enter(node)
      return true
    }

    function sample(node: number, unit: Uint8Array | undefined): void {
      if (tape.isList(node)) {
        if (tape.count(node) !== 2) throw new BadPayload('wrong_shape', 'a pair of other than two')
        const time = tape.first(node)
        payload.time(time)
        payload.value(tape.after(node, time), unit)
        return
      }
      payload.object(node, 'a sample')
      payload.time(findOne(node, TIMES))
      const value = findOne(node, VALUES)
      if (value !== NONE) {
        const before = payload.length
        const named = nameAt(node)
        payload.value(value, unitAt(node) ?? unit)
        if (named) payload.nameIs(ownName)
        else payload.leave(before)
        return
      }
      // Several values at one time, each under its name.
      const before = payload.length
      if (!isNamed) payload.nameIs(NO_NAME)
      payload.inside(node, TIMES)
      payload.leave(before)
    }

    let ownName: Uint8Array = new Uint8Array(0)
    let isNamed = false

    function list(node: number, unit: Uint8Array | undefined): void {
      for (let child = tape.first(node); child !== NONE; child = tape.after(node, child)) {
        payload.out.atMillis(payload.message.receivedMs)
        sample(child, unit)
      }
    }

    function series(node: number, list: number, unit: Uint8Array | undefined): void {
      const step = tape.number(findOne(node, STEP))
      if (!(step > 0)) throw new BadPayload('wrong_shape', 'dt is no number above zero')
      const start = findOne(node, START)
      const { times } = payload.message
      let stepMs = step * 1000
      let startMs = payload.message.receivedMs - (tape.count(list) - 1) * stepMs
      let startNs = 0
      if (payload.time(start)) {
        startMs = times.ms
        startNs = times.ns
        if (tape.kind(start) === JSON_KIND.NUMBER) stepMs = step * unitMs(tape.number(start))
      }
      let i = 0
      for (let child = tape.first(list); child !== NONE; child = tape.after(list, child), i++) {
        const ahead = i * stepMs
        const wholeMs = Math.floor(ahead)
        const ns = startNs + Math.round((ahead - wholeMs) * 1e6)
        const ms = startMs + wholeMs
        const seconds = Math.floor(ms / 1000)
        payload.out.at(seconds, (ms - seconds * 1000) * 1e6 + ns)
        payload.value(child, unit)
      }
    }

    return (message, out) => {
      payload.read(message, out)
      ownName = message.ownName
      isNamed = false
      payload.nameIs(ownName)
      if (tape.isList(0)) {
        list(0, undefined)
        return
      }
      payload.object(0, 'the payload')
      payload.usualDevice(0)
      const unit = unitAt(0)
      isNamed = nameAt(0)
      if (isNamed) ownName = Buffer.from(payload.nameText())
      const values = tape.find(0, SERIES)
      if (values !== NONE && tape.isList(values)) {
        series(0, values, unit)
        return
      }
      if (values !== NONE && tape.isObject(values)) {
        for (let name = tape.first(values); name !== NONE; name = tape.after(values, name)) {
          if (!isNamed) payload.nameIs(NO_NAME)
          const before = payload.enter(name)
          series(0, payload.list(tape.valueOf(name), 'a list of values'), unit)
          payload.leave(before)
        }
        return
      }
      list(payload.list(findOne(0, LISTS), 'data'), unit)
    }
  },
})

const NO_NAME = new Uint8Array(0)
