// Points of line protocol, read and written in one form, whoever made them.

export interface Point {
  readonly measurement: string
  readonly tags: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  readonly time: string
}

/** One line of ours. */
export function readLine(line: string): Point {
  let at = 0
  const upTo = (stops: string): string => {
    let text = ''
    while (at < line.length && !stops.includes(line[at]!)) {
      if (line[at] === '\\' && ', ='.includes(line[at + 1]!)) at++
      text += line[at++]
    }
    return text
  }
  const quoted = (): string => {
    let text = ''
    for (at++; line[at] !== '"'; at++) {
      if (line[at] === '\\') at++
      text += line[at]
    }
    at++
    return `"${text}"`
  }
  const measurement = upTo(', ')
  const tags: Record<string, string> = {}
  while (line[at] === ',') {
    at++
    const key = upTo('=')
    at++
    tags[key] = upTo(', ')
  }
  const fields: Record<string, string> = {}
  do {
    at++
    const key = upTo('=')
    at++
    fields[key] = line[at] === '"' ? quoted() : upTo(', ')
  } while (line[at] === ',')
  return { measurement, tags, fields, time: line.slice(at + 1) }
}

/** Line feeds in tags as line protocol writes them, numbers and JSON in one form; without what is ours alone. */
export function pointText({ measurement, tags, fields, time }: Point): string {
  const ofTags = Object.entries(tags).map(([key, value]) => [key, value.replaceAll('\n', '\\n')])
  const ofFields = Object.entries(fields)
    .filter(([key]) => key !== 'event_name')
    .map(([key, value]) => [key, key === 'attributes' ? stable(value.slice(1, -1)) : numberText(value)])
  return JSON.stringify([measurement, ofTags.sort(byKey), ofFields.sort(byKey), time])
}

const byKey = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1)

const numberText = (text: string): string => (/^[-+0-9.e]+$/i.test(text) ? String(Number(text)) : text)

/** JSON with its keys sorted. */
function stable(json: string): string {
  return JSON.stringify(JSON.parse(json), (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(byKey))
      : value,
  )
}
