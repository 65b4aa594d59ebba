// Durations and byte counts as text.

/** Milliseconds per unit: Go's units, and `d` besides, which Go refuses and people write. */
const MS = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 } as const

/** Milliseconds, or undefined for a text that is no duration. As Go's ParseDuration: `1m30s`, `1.5h`, `-1s`, `0`. */
export function tryDuration(text: string): number | undefined {
  if (/^[-+]?0+$/.test(text)) return 0
  const match = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+)$/.exec(text)
  if (match === null) return undefined
  let total = 0
  for (const [, count, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g)) {
    total += Number(count) * MS[unit as keyof typeof MS]
  }
  return match[1] === '-' ? -total : total
}

/** As Go prints it: `200ms`, `1m30s`, `5m0s`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 0) return `-${formatDuration(-ms)}`
  const decimal = (value: number): string => String(Number(value.toFixed(9)))
  if (ms < 1e-3) return `${decimal(ms * 1e6)}ns`
  if (ms < 1) return `${decimal(ms * 1e3)}µs`
  if (ms < 1e3) return `${decimal(ms)}ms`
  const hours = Math.floor(ms / 36e5)
  const minutes = Math.floor((ms % 36e5) / 6e4)
  const seconds = `${decimal((ms % 6e4) / 1e3)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** For people: `5m` where Go prints `5m0s`. */
export function shortDuration(ms: number): string {
  if (ms > 0 && ms % 864e5 === 0) return `${ms / 864e5}d`
  return formatDuration(ms)
    .replace(/(?<=[hm])0s$/, '')
    .replace(/(?<=h)0m$/, '')
}

const BYTES = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
} as const

/** Bytes, or undefined for a text that is no byte count: `512`, `4MiB`, `1.5 GB`. */
export function tryByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?i?b)?$/i.exec(text)
  if (match === null) return undefined
  const unit = BYTES[(match[2] ?? 'B').toUpperCase() as keyof typeof BYTES]
  const bytes = Number(match[1]) * (unit ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
