// The day behind the name of an index: logstash_format.

/** `format` in the words of strftime: %Y %y %m %d %H %j %%. In UTC. */
export function formatDate(format: string, ms: number): string {
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const year = date.getUTCFullYear()
  const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1
  const words: Record<string, string> = {
    '%Y': String(year),
    '%y': two(year % 100),
    '%m': two(date.getUTCMonth() + 1),
    '%d': two(date.getUTCDate()),
    '%H': two(date.getUTCHours()),
    '%j': String(dayOfYear).padStart(3, '0'),
    '%%': '%',
  }
  return format.replace(/%./g, (word) => words[word] ?? word)
}
