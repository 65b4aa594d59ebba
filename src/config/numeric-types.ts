// Numbers with and without units: integers, floats, durations, byte counts, each within a range.

import { nounOf, quote, YamlFloat } from './node.ts'
import { type JsonSchema, orReference, type ValueType, withArticle, wrongType } from './types.ts'
import { formatDuration, tryByteSize, tryDuration } from './units.ts'

export interface NumberRange {
  readonly min?: number
  readonly max?: number
}

function rangeWords(noun: string, range: { readonly min?: string | number; readonly max?: string | number }): string {
  const { min, max } = range
  if (min !== undefined && max !== undefined) return `${withArticle(noun)} from ${min} to ${max}`
  if (min !== undefined) return `${withArticle(noun)} of at least ${min}`
  return max === undefined ? withArticle(noun) : `${withArticle(noun)} of at most ${max}`
}

const outside = (value: number, range: NumberRange): boolean =>
  Number.isNaN(value) || value < (range.min ?? -Infinity) || value > (range.max ?? Infinity)

const bounds = (range: NumberRange): JsonSchema => ({
  ...(range.min === undefined ? {} : { minimum: range.min }),
  ...(range.max === undefined ? {} : { maximum: range.max }),
})

export const intType = (range: NumberRange = {}): ValueType<number> => ({
  words: 'integer',
  secret: false,
  decode(node, at) {
    const value = node.kind === 'scalar' ? node.value : null
    const whole = value instanceof YamlFloat && Number.isInteger(value.value) ? value.value : value
    if (typeof whole !== 'number' && typeof whole !== 'bigint') return wrongType(node, at, 'integer')
    if (typeof whole === 'bigint' || !Number.isSafeInteger(whole) || outside(whole, range)) {
      return at.problem(
        'CONFIG_OUT_OF_RANGE',
        `${quote(node)} is out of range`,
        `write ${rangeWords('number', range)}`,
        node.place,
      )
    }
    return whole
  },
  print: (value) => value,
  json: () => orReference({ type: 'integer', ...bounds(range) }),
  zero: () => 0,
})

export const floatType = (range: NumberRange = {}): ValueType<number> => ({
  words: 'number',
  secret: false,
  decode(node, at) {
    const value = node.kind === 'scalar' ? node.value : null
    const number = value instanceof YamlFloat ? value.value : typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number') return wrongType(node, at, 'number')
    if (outside(number, range)) {
      return at.problem(
        'CONFIG_OUT_OF_RANGE',
        `${quote(node)} is out of range`,
        `write ${rangeWords('number', range)}`,
        node.place,
      )
    }
    return number
  },
  print: (value) => value,
  json: () => orReference({ type: 'number', ...bounds(range) }),
  zero: () => 0,
})

export interface DurationRange {
  readonly min?: string
  readonly max?: string
  /** A bare number is a problem instead of nanoseconds: for components that the Collector does not have. */
  readonly unitRequired?: boolean
}

const DURATION_PATTERN = '^[-+]?0$|^[-+]?([0-9.]+(ns|us|µs|μs|ms|s|m|h|d))+$|\\$\\{'

/** Milliseconds. A bare integer is nanoseconds, as in the Collector (reference 1.5). */
export function durationType(range: DurationRange = {}, example = '5s'): ValueType<number> {
  const limits: NumberRange = {
    ...(range.min === undefined ? {} : { min: tryDuration(range.min)! }),
    ...(range.max === undefined ? {} : { max: tryDuration(range.max)! }),
  }
  const fix = (): string => `write ${rangeWords('duration', range)}, for example ${example}`
  return {
    words: 'duration',
    secret: false,
    decode(node, at) {
      const value = node.kind === 'scalar' ? node.value : null
      let ms: number | undefined
      if (typeof value === 'number' || (typeof value === 'bigint' && value < 2n ** 63n && value >= -(2n ** 63n))) {
        if (range.unitRequired && value !== 0)
          return at.problem('CONFIG_NO_UNIT', `${quote(node)} has no unit`, fix(), node.place)
        ms = Number(value) / 1e6
      } else if (typeof value === 'string') {
        ms = tryDuration(value)
        if (ms === undefined) {
          if (/^[-+]?\d+(\.\d+)?$/.test(value))
            return at.problem('CONFIG_NO_UNIT', `${quote(node)} has no unit`, fix(), node.place)
          return at.problem('CONFIG_WRONG_TYPE', `${quote(node)} is not a duration`, fix(), node.place)
        }
      } else if (value instanceof YamlFloat) {
        return at.problem('CONFIG_NO_UNIT', `${quote(node)} has no unit`, fix(), node.place)
      } else {
        return at.problem('CONFIG_WRONG_TYPE', `this is ${nounOf(node)}, not a duration`, fix(), node.place)
      }
      if (outside(ms, limits))
        return at.problem('CONFIG_OUT_OF_RANGE', `${quote(node)} is out of range`, fix(), node.place)
      return ms
    },
    print: (value) => formatDuration(value),
    // `integer` stands for the Collector's nanoseconds.
    json: () => ({ type: range.unitRequired ? 'string' : ['string', 'integer'], pattern: DURATION_PATTERN }),
    zero: () => 0,
  }
}

/** Bytes: a plain integer, or text with a unit. */
export const byteSizeType = (
  range: { readonly min?: string | number; readonly max?: string | number } = {},
): ValueType<number> => {
  const limit = (value: string | number | undefined): number | undefined =>
    typeof value === 'string' ? tryByteSize(value) : value
  const min = limit(range.min) ?? 0
  const max = limit(range.max)
  const fix = `write ${rangeWords('byte count', range)}, for example 4MiB`
  return {
    words: 'byte count',
    secret: false,
    decode(node, at) {
      const value = node.kind === 'scalar' ? node.value : null
      if (typeof value !== 'number' && typeof value !== 'string') return wrongType(node, at, 'byte count')
      const bytes = typeof value === 'number' ? value : tryByteSize(value)
      if (bytes === undefined)
        return at.problem('CONFIG_WRONG_TYPE', `${quote(node)} is not a byte count`, fix, node.place)
      if (outside(bytes, { min, ...(max === undefined ? {} : { max }) })) {
        return at.problem('CONFIG_OUT_OF_RANGE', `${quote(node)} is out of range`, fix, node.place)
      }
      return bytes
    },
    print: (value) => value,
    json: () => ({ type: ['integer', 'string'] }),
    zero: () => 0,
  }
}
