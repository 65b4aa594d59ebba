// Exemplars: a measurement with the trace that it comes from, read from the encoded message when somebody scrapes it.

import { EXEMPLAR } from '../../otlp/fields.ts'
import { FieldIndex } from '../../wire/field-index.ts'

export interface ReadExemplar {
  readonly value: number
  /** Both 0 where there is no time. */
  readonly seconds: number
  readonly nanos: number
  /** trace_id and span_id, in hexadecimal, where they are there. */
  readonly labels: readonly (readonly [name: string, value: string])[]
}

export function readExemplar(bytes: Uint8Array): ReadExemplar {
  const view = new FieldIndex(EXEMPLAR.wireType).reset(bytes, 0, bytes.length)
  const asDouble = view.from(EXEMPLAR.AS_DOUBLE)
  const asInt = view.from(EXEMPLAR.AS_INT)
  const value =
    asDouble === 0 && asInt === 0
      ? 0
      : asDouble > asInt
        ? view.double(EXEMPLAR.AS_DOUBLE)
        : view.sfixed64(EXEMPLAR.AS_INT)
  const labels: [string, string][] = []
  for (const [name, field] of [
    ['trace_id', EXEMPLAR.TRACE_ID],
    ['span_id', EXEMPLAR.SPAN_ID],
  ] as const) {
    const id = Buffer.from(bytes.subarray(view.from(field), view.to(field)))
    if (id.some((byte) => byte !== 0)) labels.push([name, id.toString('hex')])
  }
  const high = view.fixedHigh(EXEMPLAR.TIME_UNIX_NANO)
  const low = view.fixedLow(EXEMPLAR.TIME_UNIX_NANO)
  return { value, labels, ...secondsOf(low, high) }
}

/** Nanoseconds since 1970 in two halves, as seconds and the rest. */
export function secondsOf(low: number, high: number): { readonly seconds: number; readonly nanos: number } {
  // 2^32 ns are 4 s and 294,967,296 ns: both products stay exact.
  const rest = high * 294_967_296 + low
  const carried = Math.floor(rest / 1e9)
  return { seconds: high * 4 + carried, nanos: rest - carried * 1e9 }
}

/** The bucket of each exemplar: the last one wins. `bounds` ascending; the one behind them is +Inf. */
export function exemplarsByBucket(
  exemplars: readonly Uint8Array[] | undefined,
  bounds: readonly number[],
): (ReadExemplar | undefined)[] | undefined {
  if (exemplars === undefined) return undefined
  const found: (ReadExemplar | undefined)[] = []
  for (const bytes of exemplars) {
    const exemplar = readExemplar(bytes)
    let bucket = 0
    while (bucket < bounds.length && !(bounds[bucket]! >= exemplar.value)) bucket++
    found[bucket] = exemplar
  }
  return found
}
