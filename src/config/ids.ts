// Ids of components and pipelines: `type` or `type/name` (Collector reference 1.6).

export interface Id {
  readonly type: string
  /** Empty for an id that is its type alone. */
  readonly name: string
  /** As metrics and logs show it: trimmed around the slash. */
  readonly text: string
}

const TYPE = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/
const MAX_NAME_LENGTH = 1024
/** Separators, control characters and symbols; letters, digits, marks and punctuation may stand in a name. */
const NOT_IN_NAME = /[\p{Z}\p{C}\p{S}]/u

/** The id, or what is wrong with the text. */
export function parseId(text: string): Id | { readonly wrong: string; readonly fix: string } {
  const slash = text.indexOf('/')
  const type = (slash < 0 ? text : text.slice(0, slash)).trim()
  const name = slash < 0 ? '' : text.slice(slash + 1).trim()
  if (type === '')
    return { wrong: `${JSON.stringify(text)} has no type`, fix: 'write type or type/name, for example otlp/2' }
  if (!TYPE.test(type)) {
    const fix = 'write a letter, then at most 62 letters, digits or _'
    return { wrong: `${JSON.stringify(type)} cannot be a type`, fix }
  }
  if (slash >= 0 && name === '')
    return { wrong: `${JSON.stringify(text)} has nothing after the slash`, fix: `write ${type}, or ${type}/name` }
  const odd = NOT_IN_NAME.exec(name)?.[0]
  if (odd !== undefined) {
    return {
      wrong: `the name ${JSON.stringify(name)} contains ${JSON.stringify(odd)}`,
      fix: 'use letters, digits and punctuation such as - . _ #',
    }
  }
  if ([...name].length > MAX_NAME_LENGTH)
    return { wrong: 'the name is too long', fix: `use at most ${MAX_NAME_LENGTH} characters` }
  return { type, name, text: name === '' ? type : `${type}/${name}` }
}

/** Types that differ in underscores alone are spellings of one (Collector reference 1.9). */
export const withoutUnderscores = (type: string): string => type.replaceAll('_', '')
