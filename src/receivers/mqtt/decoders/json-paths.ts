// The decoder `json` of a rule that says where everything is: points with their names, values, units, times and
// qualities, or single fields by their paths.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { JSON_KIND, NONE } from '../../../readings/json-tape.ts'
import { KIND } from '../../../readings/naming.ts'
import type { PathsConfig } from './config.ts'
import type { Decode, DecoderContext } from './decoder.ts'
import { type Path, pathOf, walk, walkAll } from './path.ts'
import { type Attributes, Payload, QUALITY } from './payload.ts'

const NO_NAME = new Uint8Array(0)
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i
const KEY = '@key'

export function createJsonPaths(context: DecoderContext, config: PathsConfig): Decode {
  const payload = new Payload(context)
  const { tape } = payload
  const optional = (text: string | undefined): Path | undefined => (text === undefined ? undefined : pathOf(text))
  const points = optional(config.points) ?? pathOf('$')
  const endsInStar = points.steps.at(-1) === '*'
  const isKeyName = config.name === KEY
  const name = isKeyName ? undefined : optional(config.name)
  const value = optional(config.value)
  const unit = optional(config.unit)
  const time = optional(config.time)
  const quality = optional(config.quality)
  const device = optional(config.device)
  const defaultUnit = Buffer.from(config.defaultUnit)
  const fields = config.fields.map((field) => ({
    path: pathOf(field.path),
    name: Buffer.from(field.name ?? field.path.replace(/^\$\.?/, '')),
    unit: Buffer.from(field.unit),
    kind: field.kind === undefined ? KIND.DEFAULT : KINDS[field.kind],
    scale: field.scale,
    offset: field.offset,
  }))

  function write(node: number, unit: Uint8Array, scale = 1, offset = 0): void {
    const number = config.numbersInText || scale !== 1 || offset !== 0 ? numberAt(node) : Number.NaN
    if (Number.isNaN(number)) payload.value(node, unit)
    else payload.number(number * scale + offset, unit)
  }

  /** NaN where there is none, or one in quotes that may not be. */
  function numberAt(node: number): number {
    if (tape.isNumeric(node)) {
      return tape.kind(node) === JSON_KIND.NUMBER ? tape.number(node) : Number(tape.kind(node) === JSON_KIND.TRUE)
    }
    if (!config.numbersInText || !tape.isText(node)) return Number.NaN
    const text = tape.text(node)
    return NUMBER.test(text) ? Number(text) : Number.NaN
  }

  /** Time and device of the whole message; those of a point come later and count more. */
  function shared(): void {
    if (device !== undefined && (device.fromRoot || fields.length > 0)) payload.device(walk(tape, 0, device))
    if (time !== undefined && (time.fromRoot || fields.length > 0)) payload.time(walk(tape, 0, time))
  }

  function point(node: number, key: number): void {
    const at = value === undefined ? node : walk(tape, node, value)
    // A point without a value says nothing, as one whose value is null.
    if (at === NONE) return
    if (device !== undefined && !device.fromRoot) {
      payload.out.topicDevice()
      payload.device(walk(tape, node, device))
    }
    if (time !== undefined && !time.fromRoot && !payload.time(walk(tape, node, time)))
      payload.out.atMillis(payload.message.receivedMs)
    if (quality !== undefined) payload.out.mark(qualityOf(walk(tape, node, quality)))
    payload.nameIs(NO_NAME)
    if (isKeyName) {
      if (key === NONE) throw new BadPayload('bad_name', 'a point that stands under no name')
      payload.enter(key)
    } else if (name === undefined) payload.nameIs(payload.message.ownName)
    else {
      const named = walk(tape, node, name)
      if (named === NONE || tape.isObject(named) || tape.isList(named))
        throw new BadPayload('bad_name', `a point without ${name.text}`)
      payload.enter(named)
    }
    const written = unit === undefined ? NONE : walk(tape, node, unit)
    write(at, written === NONE || !tape.isText(written) ? defaultUnit : payload.bytesOf(written))
  }

  /** GOOD, true, 0 of OPC and 192 are good. */
  function qualityOf(node: number): Attributes | undefined {
    if (node === NONE) return undefined
    switch (tape.kind(node)) {
      case JSON_KIND.FALSE:
        return QUALITY.bad
      case JSON_KIND.NUMBER: {
        const code = tape.number(node)
        // Sparkplug and OPC classic: 0 bad, 192 good, 500 stale. OPC UA: the upper two of 32 bits; 0 is good there, but
        // nobody sends a 0 that means it: a rule for OPC UA has its own decoder.
        if (code === 500) return QUALITY.stale
        if (code >= 2 ** 30) return code >= 2 ** 31 ? QUALITY.bad : QUALITY.uncertain
        return code >= 192 ? undefined : code >= 64 ? QUALITY.uncertain : QUALITY.bad
      }
      case JSON_KIND.STRING: {
        const word = tape.text(node).toLowerCase()
        return word === 'bad'
          ? QUALITY.bad
          : word === 'uncertain'
            ? QUALITY.uncertain
            : word === 'stale'
              ? QUALITY.stale
              : undefined
      }
      default:
        return undefined
    }
  }

  /** A list, or an object of points by name, that the path ends at holds the points; anything else is one. */
  function each(node: number, key: number): void {
    const holds = !endsInStar && (tape.isList(node) || (tape.isObject(node) && isKeyName))
    if (!holds) {
      point(node, key)
      return
    }
    const isObject = tape.isObject(node)
    for (let child = tape.first(node); child !== NONE; child = tape.after(node, child))
      point(isObject ? tape.valueOf(child) : child, isObject ? child : key)
  }

  return (message, out) => {
    payload.read(message, out)
    shared()
    if (fields.length === 0) {
      let found = 0
      walkAll(tape, 0, points, (node, key) => {
        found++
        each(node, key)
      })
      if (found === 0) throw new BadPayload('wrong_shape', `there is nothing at ${points.text}`)
      return
    }
    let found = 0
    for (const field of fields) {
      const node = walk(tape, 0, field.path)
      if (node === NONE) continue
      found++
      out.kind = field.kind
      payload.nameIs(field.name)
      write(node, field.unit, field.scale, field.offset)
      out.kind = KIND.DEFAULT
    }
    if (found === 0) throw new BadPayload('wrong_shape', 'none of the fields is there')
  }
}

const KINDS = { gauge: KIND.GAUGE, counter: KIND.COUNTER, level: KIND.LEVEL, delta: KIND.DELTA } as const
