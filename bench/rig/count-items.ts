// Counts the spans, data points or records of an encoded request, by skipping from length to length.
//
//   request > resource (1) > scope (2) > span or record (2)
//   request > resource (1) > scope (2) > metric (2) > gauge, sum, histograms, summary (5, 7, 9, 10, 11) > data point (1)

import type { Signal } from './payloads.ts'

const LENGTH_DELIMITED = 2
const tag = (field: number): number => field * 8 + LENGTH_DELIMITED
const RESOURCE = [tag(1)]
const SCOPE = [tag(2)]
const ITEM = [tag(2)]
const DATA = [5, 7, 9, 10, 11].map(tag)
const POINT = [tag(1)]

const LEVELS: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  traces: [RESOURCE, SCOPE, ITEM],
  logs: [RESOURCE, SCOPE, ITEM],
  metrics: [RESOURCE, SCOPE, ITEM, DATA, POINT],
}

export const countItems = (signal: Signal, request: Uint8Array): number =>
  count(request, 0, request.length, LEVELS[signal], 0)

function count(bytes: Uint8Array, from: number, to: number, levels: (typeof LEVELS)[Signal], level: number): number {
  const wanted = levels[level]!
  const last = level === levels.length - 1
  let found = 0
  let at = from
  while (at < to) {
    let byte = bytes[at++]!
    let key = byte & 127
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++]!
      key += (byte & 127) * scale
    }
    const wireType = key & 7
    if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else {
      byte = bytes[at++]!
      let value = byte & 127
      for (let scale = 128; byte > 127; scale *= 128) {
        byte = bytes[at++]!
        value += (byte & 127) * scale
      }
      if (wireType === 0) continue
      if (wireType !== LENGTH_DELIMITED) throw new RangeError(`wire type ${wireType} in a request`)
      if (wanted.includes(key)) found += last ? 1 : count(bytes, at, at + value, levels, level + 1)
      at += value
    }
  }
  if (at !== to) throw new RangeError('the request is cut short')
  return found
}
