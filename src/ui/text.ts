// Numbers, durations and widths as a person reads them in a terminal.

/** `1.24 s`, `812 ms`, `310 µs`. */
export function durationText(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  if (ms >= 10) return `${ms.toFixed(0)} ms`
  if (ms >= 1) return `${ms.toFixed(1)} ms`
  return `${(ms * 1000).toFixed(0)} µs`
}

/** `42s`, `3m 05s`, `2h 07m`. */
export function uptimeText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds / 60) % 60)}m`
}

/** Digits in groups of three: `1 234 567`. */
export const countText = (value: number): string => String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ' ')

/** One digit behind the point below a hundred, none above. */
export const rateText = (perSecond: number): string =>
  perSecond === 0 ? '0' : perSecond < 100 ? perSecond.toFixed(1) : countText(perSecond)

/** As it stands where it fits into `width`, else with three digits and a scale: `1.23M`. */
export function shortText(text: string, width: number): string {
  if (text.length <= width) return text
  let value = Number(text.replaceAll(' ', ''))
  let scale = 0
  while (value >= 999.5 && scale < SCALES.length - 1) {
    value /= 1000
    scale++
  }
  return value.toPrecision(3) + SCALES[scale]
}
const SCALES = ['', 'k', 'M', 'G', 'T']

/** Exactly `width` columns: cut with an ellipsis, or filled with blanks. */
export function fit(text: string, width: number): string {
  // Control characters in the names of other people's spans must not reach the terminal.
  const clean = [...text.replaceAll(/\p{Cc}/gu, '·')]
  if (clean.length <= width) return clean.join('') + ' '.repeat(width - clean.length)
  return width <= 0 ? '' : `${clean.slice(0, width - 1).join('')}…`
}
