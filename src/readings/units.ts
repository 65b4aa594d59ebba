// The units that plants write, as UCUM codes, which OpenTelemetry asks for.
//
//   1. a text of the table below                      rpm    {revolution}/min
//   2. UCUM already                                   kW.h   as it is
//   3. anything else becomes an annotation            trays  {trays}
//
// UCUM is case-sensitive, and so is the table (mPa is no MPa); words that mean one thing however they are written stand in
// a list of their own. What a unit never does is change the value: 0-100 % stays %, and nobody guesses a ratio from it.

/** Plant text to UCUM, exactly as written. `C`, `F` and `g` are what they are on a machine: degrees and acceleration. */
const EXACT: ReadonlyMap<string, string> = new Map([
  ...pairs('Cel', '°C', '℃', 'degC', 'deg C', 'C', 'ºC'),
  ...pairs('[degF]', '°F', '℉', 'degF', 'deg F', 'F', 'ºF'),
  ...pairs('K', '°K'),
  ...pairs('[g]', 'g', 'G', 'gn'),
  ...pairs('m/s2', 'm/s²', 'm/s^2', 'm/s**2'),
  ...pairs('mm/s2', 'mm/s²', 'mm/s^2'),
  ...pairs('m3', 'm³', 'm^3'),
  ...pairs('m2', 'm²', 'm^2'),
  ...pairs('cm3', 'cm³', 'ccm'),
  ...pairs('m3/h', 'm³/h', 'm^3/h', 'cbm/h'),
  ...pairs('m3/min', 'm³/min', 'm^3/min'),
  ...pairs('m3/s', 'm³/s', 'm^3/s'),
  ...pairs('g/m3', 'g/m³', 'g/m^3'),
  ...pairs('ug/m3', 'µg/m³', 'μg/m³', 'ug/m^3'),
  ...pairs('mg/m3', 'mg/m³', 'mg/m^3'),
  ...pairs('kg/m3', 'kg/m³', 'kg/m^3'),
  ...pairs('W/m2', 'W/m²', 'W/m^2'),
  ...pairs('L', 'l', 'ltr'),
  ...pairs('mL', 'ml'),
  ...pairs('L/min', 'l/min', 'lpm', 'LPM', 'slpm'),
  ...pairs('L/h', 'l/h'),
  ...pairs('L/s', 'l/s'),
  ...pairs('mL/min', 'ml/min'),
  ...pairs('um', 'µm', 'μm'),
  ...pairs('us', 'µs', 'μs'),
  ...pairs('uS/cm', 'µS/cm', 'μS/cm'),
  ...pairs('uA', 'µA', 'μA'),
  ...pairs('uV', 'µV', 'μV'),
  ...pairs('uF', 'µF', 'μF'),
  ...pairs('kW.h', 'kWh', 'kW h', 'kW·h', 'kW*h'),
  ...pairs('MW.h', 'MWh', 'MW h', 'MW·h'),
  ...pairs('W.h', 'Wh', 'W h', 'W·h'),
  ...pairs('V.A', 'VA'),
  ...pairs('kV.A', 'kVA'),
  ...pairs('V.A.h', 'VAh'),
  ...pairs('kV.A.h', 'kVAh'),
  // UCUM has no symbol for reactive power.
  ...pairs('V.A{reactive}', 'var', 'VAr', 'VAR', 'Var'),
  ...pairs('kV.A{reactive}', 'kvar', 'kVAr', 'kVAR', 'kVar'),
  ...pairs('V.A.h{reactive}', 'varh', 'VArh'),
  ...pairs('kV.A.h{reactive}', 'kvarh', 'kVArh'),
  ...pairs('A.h', 'Ah'),
  ...pairs('mA.h', 'mAh'),
  ...pairs('N.m', 'Nm', 'N·m', 'N*m'),
  ...pairs('kN.m', 'kNm', 'kN·m'),
  ...pairs('Ohm', 'Ω', 'Ω', 'ohm', 'ohms'),
  ...pairs('kOhm', 'kΩ', 'kΩ', 'kohm'),
  ...pairs('MOhm', 'MΩ', 'MΩ'),
  ...pairs('deg', '°', 'degrees'),
  ...pairs('deg/s', '°/s'),
  ...pairs('1', '', 'ratio', 'cos φ', 'cosφ', 'cos phi', 'cosphi', 'PF', 'pf'),
  ...pairs('%', '%RH', '%rH', '% RH', '%rh', 'pct', 'percent'),
  ...pairs('dB{A}', 'dB(A)', 'dBA', 'dbA'),
  // UCUM has no symbol for power over a milliwatt.
  ...pairs('{dBm}', 'dBm'),
  ...pairs('km/h', 'kmh', 'kph', 'km/hr'),
  ...pairs('[mi_i]/h', 'mph'),
  ...pairs('[in_i]', 'in', 'inch', '"', '″'),
  ...pairs('[ft_i]', 'ft', 'feet'),
  ...pairs('[gal_us]', 'gal'),
  ...pairs('[gal_us]/min', 'gpm', 'GPM'),
  ...pairs('[cft_i]/min', 'cfm', 'CFM'),
  ...pairs('[lb_av]', 'lb', 'lbs'),
  ...pairs('mm[Hg]', 'mmHg'),
  ...pairs('m[H2O]', 'mH2O', 'mWS'),
  ...pairs('t/h', 'to/h'),
])

/** Words that mean the same in capitals. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ...pairs('{revolution}/min', 'rpm', '1/min', 'u/min', 'r/min', 'rev/min', 'min-1', 'min⁻¹', 'min^-1'),
  ...pairs('Cel', 'celsius', 'degree celsius', 'degrees celsius', 'deg_c', 'degc'),
  ...pairs('[degF]', 'fahrenheit', 'degrees fahrenheit', 'deg_f', 'degf'),
  ...pairs('K', 'kelvin'),
  ...pairs('bar', 'bar', 'barg', 'bar(g)'),
  ...pairs('bar{absolute}', 'bara', 'bar(a)'),
  ...pairs('mbar', 'mbar'),
  ...pairs('hPa', 'hpa'),
  ...pairs('kPa', 'kpa'),
  ...pairs('[psi]', 'psi', 'psig', 'lbf/in²'),
  ...pairs('kW.h', 'kwh'),
  ...pairs('Hz', 'hz', 'hertz'),
  ...pairs('kHz', 'khz'),
  ...pairs('W', 'watt', 'watts'),
  ...pairs('V', 'volt', 'volts'),
  ...pairs('A', 'amp', 'amps', 'ampere'),
  ...pairs('[ppm]', 'ppm'),
  ...pairs('[ppb]', 'ppb'),
  ...pairs('[pH]', 'ph'),
  ...pairs('dB', 'db'),
  ...pairs('lx', 'lx', 'lux'),
  ...pairs('{piece}', 'pcs', 'pcs.', 'pc', 'piece', 'pieces', 'stk', 'stk.', 'stück', 'st', 'part', 'parts', 'units'),
  ...pairs('{piece}', '件', '个', '個', 'ea', 'each'),
  ...pairs('{piece}/h', 'pcs/h', 'parts/h', 'stk/h', 'stück/h', 'pieces/h', '件/h', 'uph'),
  ...pairs('{piece}/min', 'pcs/min', 'parts/min', 'stk/min', 'stück/min', 'pieces/min', 'ppm(parts)'),
  ...pairs('{count}', 'count', 'counts', 'cnt'),
  ...pairs('{cycle}', 'cycle', 'cycles'),
  ...pairs('{cycle}/min', 'cycles/min', 'cpm'),
  ...pairs('s', 'sec', 'secs', 'second', 'seconds'),
  ...pairs('min', 'mins', 'minute', 'minutes'),
  ...pairs('h', 'hr', 'hrs', 'hour', 'hours', 'std', 'std.'),
  ...pairs('d', 'day', 'days'),
  ...pairs('ms', 'msec', 'millisecond', 'milliseconds'),
  ...pairs('By', 'byte', 'bytes'),
])

function pairs(ucum: string, ...texts: readonly string[]): [string, string][] {
  return texts.map((text) => [text, ucum])
}

/** Longer texts are no units. */
const UNIT_MAX_CHARS = 63

/** The UCUM code for a unit as a plant writes it. Always printable ASCII; `1` for the empty text. */
export function toUcum(plantText: string): string {
  const text = plantText.trim()
  const known = EXACT.get(text) ?? WORDS.get(text.toLowerCase())
  if (known !== undefined) return known
  if (isUcum(text)) return text
  // An annotation holds any printable ASCII but braces.
  const inner = text.replace(/[^\x21-\x7a|~]+/g, '_').slice(0, UNIT_MAX_CHARS)
  return `{${inner}}`
}

// Metric prefixes, and the atoms that take them; the atoms that take none.
const PREFIXES = 'Y|Z|E|P|T|G|M|k|h|da|d|c|m|u|n|p|f'
const METRIC =
  'm|g|s|t|L|l|A|K|mol|cd|Pa|bar|N|J|W|V|Ohm|S|F|Hz|Cel|lm|lx|C|T|H|Wb|Bq|Gy|Sv|rad|eV|B|By|bit|B\\[SPL\\]|m\\[Hg\\]|m\\[H2O\\]|\\[g\\]'
const PLAIN = "min|h|d|wk|mo|a|deg|'|''|%|\\[[A-Za-z0-9_]+\\]|10\\*|10\\^|[1-9]\\d*|dB"
const TERM = new RegExp(
  `^(?:(?:(?:${PREFIXES})?(?:${METRIC})|${PLAIN})(?:[+-]?\\d+)?(?:\\{[\\x21-\\x7a|~]*\\})?|\\{[\\x21-\\x7a|~]+\\})$`,
)

/** Whether the text is made of UCUM's own units: terms joined by dots and slashes. */
export function isUcum(text: string): boolean {
  if (text.length === 0 || text.length > UNIT_MAX_CHARS) return false
  return splitTerms(text).every((term) => TERM.test(term))
}

/** At dots and slashes outside of braces; a leading slash is allowed (`/min`). */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let from = text.startsWith('/') ? 1 : 0
  let inBraces = false
  for (let i = from; i <= text.length; i++) {
    const char = text[i]
    if (char === '{') inBraces = true
    else if (char === '}') inBraces = false
    else if (char === undefined || (!inBraces && (char === '.' || char === '/'))) {
      terms.push(text.slice(from, i))
      from = i + 1
    }
  }
  return terms
}
