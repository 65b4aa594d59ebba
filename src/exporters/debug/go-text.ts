// Values in the Collector's words: numbers and times as Go prints them, attributes as pdata's Value.AsString does.

import type { Message } from './message.ts'

/** fmt's %f: six digits after the point. */
export function fixed(value: number): string {
  if (!Number.isFinite(value)) return special(value)
  if (Object.is(value, -0)) return '-0.000000'
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`
  // Halfway between two sixth digits Go takes the even one, JavaScript the larger: 0.0078125 is 0.007812 there.
  if (Math.abs(value * 128) % 2 === 1) {
    const shorter = value.toFixed(7).slice(0, -1)
    if (Number(shorter.at(-1)) % 2 === 0) return shorter
  }
  return value.toFixed(6)
}

/** fmt's %v of a float: the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
export function shortest(value: number): string {
  if (!Number.isFinite(value)) return special(value)
  if (Object.is(value, -0)) return '-0'
  const [mantissa, power] = value.toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (value !== 0 && (exponent < -4 || exponent >= 6)) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return String(value)
}

const special = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf')

/** time.Time's String in UTC: nanoseconds without the zeros behind them. */
export function timestamp(unixNanos: string): string {
  const nanos = BigInt.asIntN(64, BigInt(unixNanos))
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = (nanos - fraction) / 1_000_000_000n
  const time = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const digits = String(fraction).padStart(9, '0').replace(/0+$/, '')
  return `${time}${digits === '' ? '' : `.${digits}`} +0000 UTC`
}

const TYPE_NAMES: readonly (readonly [string, string])[] = [
  ['stringValue', 'Str'],
  ['boolValue', 'Bool'],
  ['intValue', 'Int'],
  ['doubleValue', 'Double'],
  ['arrayValue', 'Slice'],
  ['kvlistValue', 'Map'],
  ['bytesValue', 'Bytes'],
]

/** `Str(press-4)`: the value with its type. */
export function typedValue(value: Message): string {
  const name = TYPE_NAMES.find(([member]) => value.has(member))?.[1] ?? 'Empty'
  return `${name}(${valueText(value)})`
}

/** The value as text: bytes in base64, lists and maps as JSON, nothing for the empty value. */
export function valueText(value: Message): string {
  if (value.has('stringValue')) return value.text('stringValue')
  if (value.has('doubleValue')) {
    const double = value.number('doubleValue')
    return Number.isFinite(double) ? jsonNumber(double) : `json: unsupported value: ${special(double)}`
  }
  if (value.has('boolValue')) return String(value.flag('boolValue'))
  if (value.has('intValue')) return value.digits('intValue')
  if (value.has('bytesValue')) return value.text('bytesValue')
  if (!value.has('arrayValue') && !value.has('kvlistValue')) return ''
  return jsonText(value) ?? ''
}

/** As Go's encoding/json prints it; undefined where JSON has no word for a number inside. */
function jsonText(value: Message): string | undefined {
  if (value.has('stringValue')) return jsonString(value.text('stringValue'))
  if (value.has('bytesValue')) return jsonString(value.text('bytesValue'))
  if (value.has('doubleValue')) {
    return Number.isFinite(value.number('doubleValue')) ? jsonNumber(value.number('doubleValue')) : undefined
  }
  if (value.has('arrayValue')) {
    const elements = value.child('arrayValue').children('values').map(jsonText)
    return elements.includes(undefined) ? undefined : `[${elements.join(',')}]`
  }
  if (value.has('kvlistValue')) {
    const entries = new Map<string, string>()
    for (const entry of value.child('kvlistValue').children('values')) {
      const text = jsonText(entry.child('value'))
      if (text === undefined) return undefined
      entries.set(entry.text('key'), text)
    }
    const keys = [...entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return `{${keys.map((key) => `${jsonString(key)}:${entries.get(key)}`).join(',')}}`
  }
  return value.has('boolValue') || value.has('intValue') ? valueText(value) : 'null'
}

const jsonNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

// Go also escapes what HTML and JavaScript would take for markup.
const jsonString = (text: string): string =>
  JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
