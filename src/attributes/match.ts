// Whether a span, log record or metric is one that `include` or `exclude` means (reference/otelcol-processors.md 3.1).
//
// Every kind of rule that is given must hold; within a list of texts any one is enough, of attributes, resources and
// libraries all must hold. What depends on the resource or the scope alone is asked once for each of them.

import type { AttributeMap } from '../otlp/attribute.ts'
import { encodeText } from '../otlp/encode.ts'
import { LOG_RECORD, METRIC, SPAN } from '../otlp/fields.ts'
import type { LogView } from '../otlp/log.ts'
import type { MetricView } from '../otlp/metric.ts'
import type { ScopeView } from '../otlp/resource.ts'
import type { SpanView } from '../otlp/span.ts'
import { VALUE, ValueView } from '../otlp/value.ts'
import { equalBytes } from '../wire/varint.ts'
import { encodeLiteral } from './literal.ts'
import { type MatchConfig, SPAN_KINDS } from './match-config.ts'
import { CachedPattern, PATTERN_CACHE_MAX_ENTRIES, Pattern, type TextMatcher } from './pattern.ts'

const SERVICE_NAME = encodeText('service.name')
/** What stands for the service of a resource that names none. */
const NO_SERVICE = '<nil-service-name>'

/** A list of texts, any of which is enough. Strict ones are compared as bytes. */
class Texts {
  readonly #exact: readonly Uint8Array[]
  readonly #patterns: readonly TextMatcher[]

  /** `remember`: for texts of few different values, also where the configuration asks for no cache. */
  constructor(texts: readonly string[], config: MatchConfig, remember = false) {
    const isStrict = config.matchType === 'strict'
    this.#exact = isStrict ? texts.map(encodeText) : []
    this.#patterns = isStrict ? [] : texts.map((text) => toPattern(text, config, remember))
  }

  match(bytes: Uint8Array, from: number, to: number): boolean {
    for (const exact of this.#exact) if (equalBytes(bytes, from, to, exact)) return true
    for (const pattern of this.#patterns) if (pattern.matchesBytes(bytes, from, to)) return true
    return false
  }

  matchText(text: string): boolean {
    const bytes = encodeText(text)
    return this.match(bytes, 0, bytes.length)
  }

  /** A value of another type as its text. */
  matchValue(value: ValueView): boolean {
    return value.type === VALUE.STRING
      ? this.match(value.bytes, value.start, value.end)
      : this.matchText(value.toText())
  }
}

function toPattern(text: string, { regexp }: MatchConfig, remember: boolean): TextMatcher {
  const pattern = new Pattern(text)
  if (!regexp.cacheEnabled) return remember ? new CachedPattern(pattern) : pattern
  return new CachedPattern(pattern, regexp.cacheMaxEntries || PATTERN_CACHE_MAX_ENTRIES)
}

interface AttributeRule {
  readonly key: Uint8Array
  /** Absent where being there is enough. */
  readonly holds: ((value: ValueView) => boolean) | undefined
}

function toRule({ key, value }: MatchConfig['attributes'][number], config: MatchConfig): AttributeRule {
  if (value === undefined || value === null) return { key: encodeText(key), holds: undefined }
  if (config.matchType === 'strict') {
    const bytes = encodeLiteral(value)
    const wanted = new ValueView().reset(bytes, 0, bytes.length)
    return { key: encodeText(key), holds: (found) => isSame(found, wanted) }
  }
  const pattern = toPattern(String(value), config, false)
  return { key: encodeText(key), holds: (found) => matchesValue(pattern, found) }
}

function matchesValue(pattern: TextMatcher, value: ValueView): boolean {
  const { type } = value
  if (type === VALUE.STRING) return pattern.matchesBytes(value.bytes, value.start, value.end)
  if (type !== VALUE.BOOL && type !== VALUE.INT && type !== VALUE.DOUBLE) return false
  const text = encodeText(value.toText())
  return pattern.matchesBytes(text, 0, text.length)
}

function isSame(a: ValueView, b: ValueView): boolean {
  if (a.type !== b.type) return false
  switch (a.type) {
    case VALUE.STRING:
      return equalBytes(a.bytes, a.start, a.end, b.bytes.subarray(b.start, b.end))
    case VALUE.BOOL:
      return a.bool() === b.bool()
    case VALUE.INT:
      return a.intLow() === b.intLow() && a.intHigh() === b.intHigh()
    case VALUE.DOUBLE:
      return a.number() === b.number()
    default:
      return a.toText() === b.toText()
  }
}

/** A map without any attribute matches nothing, whatever the rules. */
function matchAll(map: AttributeMap, rules: readonly AttributeRule[]): boolean {
  for (const { key, holds } of rules) {
    const at = map.find(key)
    if (at < 0 || (holds !== undefined && !holds(map.value(at)))) return false
  }
  return true
}

export class Matcher {
  readonly #config: MatchConfig
  readonly #services: Texts
  readonly #spanNames: Texts
  readonly #kinds: readonly boolean[] | undefined
  readonly #bodies: Texts
  readonly #severities: Texts
  readonly #metricNames: Texts
  readonly #attributes: readonly AttributeRule[]
  readonly #resources: readonly AttributeRule[]
  readonly #libraries: readonly { readonly name: Texts; readonly version: Texts | undefined }[]

  constructor(config: MatchConfig) {
    this.#config = config
    this.#services = new Texts(config.services, config, true)
    this.#spanNames = new Texts(config.spanNames, config, true)
    const kinds = new Texts(config.spanKinds, config, true)
    this.#kinds = config.spanKinds.length === 0 ? undefined : SPAN_KINDS.map((kind) => kinds.matchText(kind))
    this.#bodies = new Texts(config.logBodies, config)
    this.#severities = new Texts(config.logSeverityTexts, config, true)
    this.#metricNames = new Texts(config.metricNames, config, true)
    this.#attributes = config.attributes.map((rule) => toRule(rule, config))
    this.#resources = config.resources.map((rule) => toRule(rule, config))
    this.#libraries = config.libraries.map(({ name, version }) => ({
      name: new Texts([name], config, true),
      version: version === undefined ? undefined : new Texts([version], config, true),
    }))
  }

  /** Whether the rules on the resource hold; `service` says whether services are among them (for spans they are). */
  resource(map: AttributeMap, service: boolean): boolean {
    if (service && this.#config.services.length > 0) {
      const at = map.find(SERVICE_NAME)
      if (!(at < 0 ? this.#services.matchText(NO_SERVICE) : this.#services.matchValue(map.value(at)))) return false
    }
    return matchAll(map, this.#resources)
  }

  scope(scope: ScopeView): boolean {
    for (const { name, version } of this.#libraries)
      if (!name.matchText(scope.toName()) || (version !== undefined && !version.matchText(scope.toVersion())))
        return false
    return true
  }

  span(span: SpanView, map: AttributeMap): boolean {
    const { spanNames } = this.#config
    if (spanNames.length > 0 && !this.#spanNames.match(span.bytes, span.from(SPAN.NAME), span.to(SPAN.NAME)))
      return false
    if (this.#kinds !== undefined && this.#kinds[span.kind()] !== true) return false
    return matchAll(map, this.#attributes)
  }

  log(log: LogView, map: AttributeMap): boolean {
    const { logBodies, logSeverityTexts, logSeverityNumber } = this.#config
    if (logBodies.length > 0 && !this.#bodies.matchValue(log.body())) return false
    if (logSeverityTexts.length > 0) {
      const [from, to] = [log.from(LOG_RECORD.SEVERITY_TEXT), log.to(LOG_RECORD.SEVERITY_TEXT)]
      if (!this.#severities.match(log.bytes, from, to)) return false
    }
    if (logSeverityNumber !== undefined) {
      const number = log.severityNumber()
      if (number === 0 ? !logSeverityNumber.matchUndefined : number < logSeverityNumber.min) return false
    }
    return matchAll(map, this.#attributes)
  }

  /** By name alone. */
  metric(metric: MetricView): boolean {
    return this.#metricNames.match(metric.bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
  }
}
