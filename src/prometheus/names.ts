// OpenTelemetry's names in Prometheus (OpenTelemetry, "Prometheus and OpenMetrics compatibility"; the Collector's rules in
// detail, reference 4.4).
//
//   metric  [namespace_] words of the name [_unit] [_per_unit] [_ratio | _total]
//   label   letters, digits and `_`
//
// A translation strategy says two things: whether units and types are added, and whether other letters than Prometheus's
// old ones become `_`.

/** What makes a difference to a name. `counter`: a monotonic sum. */
export type NamedType = 'gauge' | 'counter' | 'other'

export interface Translation {
  /** Units and types at the end of names. */
  readonly suffixes: boolean
  /** Names stay in UTF-8 as they are. */
  readonly utf8: boolean
}

export const TRANSLATIONS = {
  UnderscoreEscapingWithSuffixes: { suffixes: true, utf8: false },
  UnderscoreEscapingWithoutSuffixes: { suffixes: false, utf8: false },
  NoUTF8EscapingWithSuffixes: { suffixes: true, utf8: true },
  NoTranslation: { suffixes: false, utf8: true },
} as const satisfies Readonly<Record<string, Translation>>
export type TranslationName = keyof typeof TRANSLATIONS

export const TRANSLATION_WORDS = {
  UnderscoreEscapingWithSuffixes: 'Other letters become `_`; units and types are added.',
  UnderscoreEscapingWithoutSuffixes: 'Other letters become `_`; nothing is added.',
  NoUTF8EscapingWithSuffixes: 'Names stay as they are; units and types are added.',
  NoTranslation: 'Names stay as they are.',
} as const satisfies Readonly<Record<TranslationName, string>>

/** UCUM units that have a word in Prometheus. */
const UNIT_WORDS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
])

const PER_UNIT_WORDS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
])

/** The words of a unit: `m/s` is meters and per_second. An annotation in braces has none. */
export function unitWords(unit: string): { readonly main: string; readonly per: string } {
  const slash = unit.indexOf('/')
  const word = (text: string, words: ReadonlyMap<string, string>): string => {
    const trimmed = text.trim()
    return /[{}]/.test(trimmed) ? '' : (words.get(trimmed) ?? trimmed)
  }
  const main = word(slash < 0 ? unit : unit.slice(0, slash), UNIT_WORDS)
  const per = slash < 0 ? '' : word(unit.slice(slash + 1), PER_UNIT_WORDS)
  return { main, per: per === '' ? '' : `per_${per}` }
}

/** The name of a unit, as metadata has it: `kW.h` is `kW_h`, and `By/s` bytes_per_second. */
export function unitName(unit: string, { utf8 }: Translation): string {
  const { main, per } = unitWords(unit)
  return [main, per]
    .map((word) => (utf8 ? word : cleanUnit(word)))
    .filter((word) => word !== '')
    .join('_')
    .replace(/^_|_$/g, '')
}

export interface Naming extends Translation {
  readonly namespace: string
}

/** The name of a metric; undefined where nothing of it is left that could be one. */
export function metricName(name: string, unit: string, type: NamedType, naming: Naming): string | undefined {
  if (naming.utf8) return unescapedName(name, unit, type, naming) || undefined
  const built = naming.suffixes ? fullName(name, unit, type, naming.namespace) : plainName(name, naming.namespace)
  return built === '' || (built !== name && /^_*$/.test(built)) ? undefined : built
}

const words = (text: string, separator: RegExp): string[] => text.split(separator).filter((word) => word !== '')
const NOT_A_LETTER = /[^a-zA-Z0-9:]+/
const NOT_A_LETTER_OR_LINE = /[^a-zA-Z0-9:_]+/

const withoutLeadingDigit = (name: string): string => (/^[0-9]/.test(name) ? `_${name}` : name)

function fullName(name: string, unit: string, type: NamedType, namespace: string): string {
  let tokens = words(name, NOT_A_LETTER)
  const { main, per } = unitWords(unit)
  const mainToken = cleanUnit(main)
  const perToken = cleanUnit(per).replace(/_$/, '')
  const hasMain = mainToken === '' || tokens.includes(mainToken)
  const hasPer = perToken === '' || perToken === 'per' || tokens.includes(perToken)
  if (!hasMain) tokens.push(hasPer ? mainToken : mainToken.replace(/_$/, ''))
  if (!hasPer) tokens.push(perToken)
  const ending = type === 'counter' ? 'total' : type === 'gauge' && unit === '1' ? 'ratio' : undefined
  if (ending !== undefined) tokens = [...tokens.filter((token) => token !== ending), ending]
  if (namespace !== '') tokens.unshift(plainWords(namespace))
  return withoutLeadingDigit(tokens.join('_'))
}

const cleanUnit = (unit: string): string =>
  unit
    .replace(/[^a-zA-Z0-9:]/gu, '_')
    .replace(/_+/g, '_')
    .replace(/^_/, '')

const plainWords = (text: string): string => words(text, NOT_A_LETTER_OR_LINE).join('_')

function plainName(name: string, namespace: string): string {
  const plain = plainWords(name)
  return namespace === '' ? withoutLeadingDigit(plain) : withoutLeadingDigit(`${plainWords(namespace)}_${plain}`)
}

function unescapedName(name: string, unit: string, type: NamedType, { namespace, suffixes }: Naming): string {
  let built = namespace === '' ? name : `${namespace}_${name}`
  if (!suffixes || built === '') return built
  const endings: string[] = []
  const ending = type === 'counter' ? 'total' : type === 'gauge' && unit === '1' ? 'ratio' : undefined
  const { main, per } = unitWords(unit)
  for (const word of [ending, per]) {
    if (word === undefined || word === '') continue
    if (built.endsWith(word) && built.length > word.length + 1) built = built.slice(0, -word.length - 1)
    endings.unshift(word)
  }
  if (main !== '' && !built.endsWith(main)) built += `_${main}`
  return [built, ...endings].join('_')
}

export interface LabelNaming {
  readonly utf8: boolean
  /** Several `_` in a row become one; reserved names in `__` keep theirs. */
  readonly collapses: boolean
  /** A single `_` in front has `key` before it. */
  readonly keyed?: boolean
}

/** The name of a label; undefined where nothing but `_` is left of it. */
export function labelName(name: string, { utf8, collapses, keyed = false }: LabelNaming): string | undefined {
  if (utf8) return /^_*$/.test(name) ? undefined : name
  let built: string
  if (!collapses) built = name.replace(/[^a-zA-Z0-9_]/gu, '_')
  else {
    const reserved = name.length >= 4 && name.startsWith('__') && name.endsWith('__')
    const collapsed = (reserved ? name.slice(2, -2) : name).replace(/[^a-zA-Z0-9]+/g, '_')
    built = reserved ? `__${collapsed}__` : collapsed
  }
  if (/^[0-9]/.test(built)) built = `key_${built}`
  else if (keyed && /^_(?!_)/.test(built)) built = `key${built}`
  return /^_*$/.test(built) ? undefined : built
}
