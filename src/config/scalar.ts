// What a plain YAML scalar means, as the Collector's YAML library reads it: booleans and nulls of YAML 1.2, but octal
// numbers with a bare leading zero and underscores in numbers as in YAML 1.1 (Collector reference 1.4: 0123 is 83).

import { type ScalarValue, YamlFloat } from './node.ts'

const WORDS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ['', null],
  ['~', null],
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, new YamlFloat(Number.NaN)] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, new YamlFloat(Infinity)] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, new YamlFloat(-Infinity)] as const),
])

const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)
/** A longer run of digits is no number that anything here can hold. */
const MAX_DIGITS = 400

export function resolvePlain(text: string): ScalarValue {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (!/^[-+.0-9]/.test(text) || text.length > MAX_DIGITS) return text
  const plain = text.replaceAll('_', '')
  return tryInteger(plain) ?? tryFloat(plain) ?? text
}

function tryInteger(text: string): number | bigint | YamlFloat | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/.exec(text)
  if (match === null) return undefined
  const digits = match[2]!
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  const value = match[1] === '-' ? -size : size
  if (value > MAX_UINT64 || value < MIN_INT64) return tryFloat(text)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function tryFloat(text: string): YamlFloat | undefined {
  if (!/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) return undefined
  return new YamlFloat(Number(text))
}

/** The value that an explicit core tag asks for; undefined where the text cannot be that. Other tags say nothing. */
export function resolveTagged(tag: string, text: string, plain: boolean): ScalarValue | undefined {
  const value = resolvePlain(text)
  switch (tag.replace('tag:yaml.org,2002:', '!!')) {
    case '!!str':
    case '!':
      return text
    case '!!int':
      return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
    case '!!float':
      if (typeof value === 'number' || typeof value === 'bigint') return new YamlFloat(Number(value))
      return value instanceof YamlFloat ? value : undefined
    case '!!bool':
      return typeof value === 'boolean' ? value : undefined
    case '!!null':
      return value === null ? null : undefined
    default:
      return plain ? value : text
  }
}
