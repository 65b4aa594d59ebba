// Numbers as they stand in an exposition.
//
// Samples are written in the digits of JavaScript, which are the shortest that mean the number. The bounds of buckets and
// quantiles are values of labels, so their spelling matters: it is that of Go's client, as Collector and SDKs write it
// (an exponent from 1e+06 on and below 0.0001; OpenMetrics adds `.0` to what would look like an integer).

/** A sample's value. */
export function valueText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** A sample's value in OpenMetrics, where floats look like floats. */
export function openMetricsValueText(value: number): string {
  // Larger ones have an exponent, which is as good.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${valueText(value)}.0` : valueText(value)
}

/** A bucket's bound or a quantile. */
export function boundText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return value === 0 ? '0' : valueText(value)
  const [digits = '', exponentText = ''] = Math.abs(value).toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < 6) return String(value)
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${value < 0 ? '-' : ''}${digits}e${exponent < 0 ? '-' : '+'}${size}`
}

export function openMetricsBoundText(value: number): string {
  const text = boundText(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}
