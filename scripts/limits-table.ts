// The table of the doors' bounds, from their declarations.

import { markdownTable } from '../src/config/reference.ts'
import { DECLARED_LIMITS, type Limit } from '../src/net/limits.ts'

const KiB = 1024

/** As people write it: 30s, 64 KiB, 100 a second. */
export function limitWords({ value, unit }: Limit): string {
  if (unit === 'ms') return value % 60_000 === 0 ? `${value / 60_000}m` : `${value / 1000}s`
  if (unit === 'count') return String(value)
  if (unit === 'per second') return `${bytesOr(value)} a second`
  return bytesOr(value)
}

const bytesOr = (value: number): string => {
  if (value >= KiB * KiB && value % (KiB * KiB) === 0) return `${value / KiB / KiB} MiB`
  return value >= KiB && value % KiB === 0 ? `${value / KiB} KiB` : String(value)
}

export const limitsTable = (): string =>
  markdownTable(
    ['limit', 'value', 'of what', 'beyond it', 'key that goes before it'],
    Object.entries<Limit>(DECLARED_LIMITS).map(([name, limit]) => [
      `\`${name}\``,
      limitWords(limit),
      limit.divided ? `${limit.doc} Divided between the shards.` : limit.doc,
      limit.beyond,
      limit.key === undefined ? '' : `\`${limit.key}\``,
    ]),
  )
