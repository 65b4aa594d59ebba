// Configurations of processors, made by a seed: what people write, and now and then what the Collector refuses.

import type { Signal } from '../../../src/otlp/signal.ts'
import { Chance } from '../../support/chance.ts'
import type { Choose } from '../../support/scramble.ts'

export type Configuration = Readonly<Record<string, unknown>>

const KEYS = ['service.name', 'host.name', 'http.route', 'url.path', 'a', 'a.b', 'état', 'message', 'value', 'new', '']
const KEY_PATTERNS = ['^a', 'b$', 'é', '^http\\.', 'name|value', '^$', '.', '(']
const VALUE_PATTERNS = ['^/?(?P<new>[a-z]+)', '(?P<a>\\d)?(?P<host_name>.)', '(?P<a>or|press)', '(unnamed)', 'none']
const VALUES = [
  'north',
  '',
  '21 °C',
  7,
  -1,
  0.5,
  true,
  false,
  ['a', 1, null],
  { line: 7, names: ['x'] },
  [],
  {},
  1e300,
  null,
]
const CONTEXTS = [
  'metadata.x-tenant',
  'metadata.X-Lines',
  'x-tenant',
  'metadata.none',
  'auth.subject',
  'client.address',
]
const ACTIONS = ['insert', 'update', 'upsert', 'UPSERT', 'delete', 'hash', 'extract', 'convert']
const TYPES = ['string', 'int', 'double', 'bool']
const TEXTS = [
  '',
  'press-7',
  'north',
  'GET /orders',
  'child_of',
  '-1.5',
  'INFO',
  'warn',
  'temperature',
  'ratio',
  'line',
]
const TEXT_PATTERNS = ['^press', 'o', '^$', '\\d', 'orders$', '^(INFO|warn)$', 'a.+e', '[']
const KINDS = ['SPAN_KIND_SERVER', 'SPAN_KIND_INTERNAL', 'SPAN_KIND_CLIENT', 'SPAN_KIND_UNSPECIFIED', 'SERVER']
const KIND_PATTERNS = ['SERVER', 'KIND_C', '^S']
const RULES: Readonly<Record<Signal, readonly string[]>> = {
  traces: ['services', 'span_names', 'span_kinds', 'attributes', 'resources', 'libraries'],
  logs: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'attributes', 'resources', 'libraries'],
  metrics: ['metric_names', 'resources'],
  profiles: [],
}

export class Configurations extends Chance {
  readonly #signal: Signal

  constructor(choose: Choose, signal: Signal) {
    super(choose)
    this.#signal = signal
  }

  attributes(): Configuration {
    return {
      actions: this.some(4, () => this.#action()),
      ...(this.odds(30) ? { include: this.#rules() } : {}),
      ...(this.odds(20) ? { exclude: this.#rules() } : {}),
    }
  }

  resource(): Configuration {
    return { attributes: this.some(4, () => this.#action()) }
  }

  sampler(): Configuration {
    const forLogs = this.#signal === 'logs'
    return {
      sampling_percentage: this.of([0, 1, 10, 33.3, 50, 75, 100, 120]),
      ...(this.odds(75) ? { mode: this.of(['hash_seed', 'proportional', 'equalizing', '']) } : {}),
      ...(this.odds(40) ? { hash_seed: this.choose(1000) } : {}),
      ...(this.odds(40) ? { fail_closed: this.odds(50) } : {}),
      ...(this.odds(40) ? { sampling_precision: this.of([1, 2, 4, 7, 14]) } : {}),
      ...(forLogs && this.odds(30) ? { attribute_source: 'record' } : {}),
      ...(forLogs && this.odds(50) ? { from_attribute: this.of(KEYS) } : {}),
      ...(forLogs && this.odds(40) ? { sampling_priority: this.of(['a', 'value', 'none']) } : {}),
    }
  }

  #action(): Configuration {
    const action = this.of(ACTIONS)
    const key = this.odds(90) || action === 'extract' ? { key: this.of(KEYS) } : {}
    switch (action) {
      case 'delete':
      case 'hash':
        return { action, ...key, ...(this.odds(40) ? { pattern: this.of(KEY_PATTERNS) } : {}), ...this.#odd() }
      case 'extract':
        return { action, ...key, pattern: this.of(VALUE_PATTERNS), ...this.#odd() }
      case 'convert':
        return { action, ...key, converted_type: this.of(TYPES), ...this.#odd() }
      default:
        return { action, ...key, ...this.#source(), ...this.#odd() }
    }
  }

  #source(): Configuration {
    const fallback = this.odds(25) ? { default_value: this.of(VALUES) } : {}
    if (this.odds(50)) return { value: this.of(VALUES), ...fallback }
    if (this.odds(60)) return { from_attribute: this.of(KEYS), ...fallback }
    return { from_context: this.of(CONTEXTS), ...fallback }
  }

  /** A key that does not belong there. */
  #odd(): Configuration {
    if (!this.odds(4)) return {}
    return this.of<Configuration>([
      { value: 'north' },
      { pattern: 'a' },
      { from_attribute: 'a' },
      { from_context: 'x-tenant' },
      { converted_type: 'int' },
      { no_such_key: 1 },
    ])
  }

  #rules(): Configuration {
    const type = this.of(['strict', 'regexp'] as const)
    const names = this.odds(96) ? RULES[this.#signal] : Object.values(RULES).flat()
    const rules = this.some(2, () => this.of(names)).map((name) => [name, this.#rule(name, type)])
    return { match_type: type, ...Object.fromEntries(rules) }
  }

  #rule(name: string, type: 'strict' | 'regexp'): unknown {
    const isStrict = type === 'strict'
    const texts = isStrict ? TEXTS : TEXT_PATTERNS
    switch (name) {
      case 'span_kinds':
        return this.some(2, () => this.of(isStrict ? KINDS : KIND_PATTERNS))
      case 'log_severity_number':
        return { min: this.choose(25), match_undefined: this.odds(50) }
      case 'libraries':
        return this.some(2, () => ({
          name: this.of(texts),
          ...(this.odds(40) ? { version: this.of(['', '2']) } : {}),
        }))
      case 'attributes':
      case 'resources': {
        // What is wrong with rules that have no effect the Collector does not say.
        const isHeard = this.#signal !== 'metrics'
        const values = isHeard ? [...texts, ...VALUES] : TEXTS
        return this.some(2, () => ({
          key: this.of(isHeard ? KEYS : ['service.name']),
          ...(this.odds(60) ? { value: this.of<unknown>(values) } : {}),
        }))
      }
      default:
        return this.some(3, () => this.of(texts))
    }
  }
}
