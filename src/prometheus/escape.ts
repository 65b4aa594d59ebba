// How names and values are spelled in an exposition.
//
// A name of Prometheus's old letters stands as it is. Any other UTF-8 stands in quotes, inside the braces where it is the
// metric's; a reader that does not understand that gets it escaped, in the way it asks for with `escaping=` in Accept
// (Prometheus, "Content negotiation", "UTF-8 in Prometheus").

export const ESCAPINGS = ['allow-utf-8', 'underscores', 'dots', 'values'] as const
export type Escaping = (typeof ESCAPINGS)[number]

/** The old letters of metrics; labels have the same without the colon, which an escaped one keeps. */
export const isPlainName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)

/** The name in old letters; as it is where it has no others, or where the reader takes all. */
export function escapeName(name: string, escaping: Escaping): string {
  if (escaping === 'allow-utf-8' || isPlainName(name)) return name
  let escaped = escaping === 'values' ? 'U__' : ''
  let at = 0
  for (const letter of name) {
    const isPlain = /[a-zA-Z:]/.test(letter) || (at > 0 && /[0-9]/.test(letter))
    if (escaping === 'underscores') escaped += isPlain ? letter : '_'
    else if (letter === '_') escaped += '__'
    else if (isPlain) escaped += letter
    else if (escaping === 'dots') escaped += letter === '.' ? '_dot_' : '__'
    else escaped += `_${letter.codePointAt(0)!.toString(16)}_`
    at++
  }
  return escaped
}

export const quoted = (text: string): string => `"${escapeValue(text)}"`

/** A label's value, without its quotes. */
export const escapeValue = (value: string): string =>
  /[\\\n"]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"') : value

/** A HELP text; OpenMetrics wants quotes escaped too. */
export const escapeHelp = (help: string, quotes: boolean): string =>
  quotes ? escapeValue(help) : help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')

/** A label's name as it stands in front of `=`. */
export const spellName = (name: string): string => (isPlainName(name) ? name : quoted(name))

export type Labels = readonly (readonly [name: string, value: string])[]

/** Labels as they stand between braces, in the order given. */
export const labelText = (labels: Labels): string =>
  labels.map(([name, value]) => `${spellName(name)}="${escapeValue(value)}"`).join(',')

/** Whether some name in a label text stands in quotes; now and then a value only looks like it. */
export const HAS_QUOTED_NAME = /(?:^|,)"/

/** What labelText() has made of labels, for the rare reader that cannot take it as it is. */
export function readLabelText(text: string): [name: string, value: string][] {
  const labels: [string, string][] = []
  const part = /(?:"((?:[^"\\]|\\.)*)"|([^"=,]+))="((?:[^"\\]|\\.)*)",?/gs
  for (const [, quotedName, plain, value] of text.matchAll(part))
    labels.push([plain ?? unescaped(quotedName!), unescaped(value!)])
  return labels
}

const unescaped = (text: string): string =>
  text.includes('\\') ? text.replace(/\\(.)/gs, (_all, letter: string) => (letter === 'n' ? '\n' : letter)) : text

/** The labels with names that this reader understands. */
export const escapeLabelText = (text: string, escaping: Escaping): string =>
  labelText(readLabelText(text).map(([name, value]) => [escapeName(name, escaping), value] as const))
