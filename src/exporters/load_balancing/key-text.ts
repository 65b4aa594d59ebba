// Attribute values as the Collector writes them into a key.

import { readKeyValue, VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'

/** A value as the Collector writes it into a key (contrib, attribute_routing.go): lists [a,b], maps {k:v} by key. */
export function keyText(value: ValueView): string {
  switch (value.type) {
    case VALUE.DOUBLE:
      return shortestText(value.number())
    case VALUE.LIST: {
      const elements: string[] = []
      for (const c = new Cursor().reset(value.bytes, value.start, value.end); c.find(1); )
        elements.push(keyText(new ValueView().reset(c.bytes, c.start, c.end)))
      return `[${elements.join(',')}]`
    }
    case VALUE.MAP: {
      const entries: [string, string][] = []
      for (const c = new Cursor().reset(value.bytes, value.start, value.end); c.find(1); ) {
        const { key, bytes, from, to } = readKeyValue(c.bytes, c.start, c.end)
        entries.push([key, keyText(new ValueView().reset(bytes, from, to))])
      }
      entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      return `{${entries.map(([key, text]) => `${key}:${text}`).join(',')}}`
    }
    default:
      return value.toText()
  }
}

/** Go's strconv.FormatFloat(value, 'g', -1, 64): the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
function shortestText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const [digits, power] = value.toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(value)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
