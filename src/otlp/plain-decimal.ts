/** A number in digits alone, without an exponent, as Go's FormatFloat(x, 'f', -1, 64) writes bounds and quantiles. */
export function plainDecimal(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const text = String(value)
  const split = text.indexOf('e')
  if (split < 0) return text
  const sign = text.startsWith('-') ? '-' : ''
  const [whole, fraction = ''] = text.slice(sign.length, split).split('.') as [string, string?]
  const exponent = Number(text.slice(split + 1))
  const digits = whole + fraction
  const point = whole.length + exponent
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}
