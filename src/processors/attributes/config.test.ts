import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rig } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Signal } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

function problemOf(parse: () => unknown): string {
  try {
    parse()
    return ''
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map((p) => `${p.path}: ${p.what}`).join('\n')
  }
}
const ofAction = (action: object): string => problemOf(() => parseConfig(config, { actions: [action] }))

test('an action says what it needs and what it does not use', () => {
  const rows: [object, RegExp | ''][] = [
    [{ key: 'k', value: 1, action: 'insert' }, ''],
    [{ key: 'k', value: false, action: 'insert' }, ''],
    [{ key: 'k', default_value: 1, action: 'insert' }, ''],
    [{ key: 'k', action: 'Delete' }, ''],
    [{ pattern: 'k', action: 'hash' }, ''],
    [{ key: 'k', pattern: '(?P<a>.)', action: 'extract' }, ''],
    [{ key: 'k', converted_type: 'int', action: 'convert' }, ''],
    [{ key: 'k' }, /action is missing/],
    [{ key: 'k', action: 'drop' }, /drop/],
    [{ value: 1, action: 'insert' }, /needs a key/],
    [{ key: 'k', action: 'upsert' }, /needs one of value, from_attribute and from_context/],
    [{ key: 'k', value: 1, from_attribute: 'a', action: 'update' }, /takes one of/],
    [{ key: 'k', value: 1, pattern: 'a', action: 'update' }, /does not use pattern/],
    [{ key: 'k', value: 1, converted_type: 'int', action: 'update' }, /does not use converted_type/],
    [{ action: 'delete' }, /needs a key or a pattern/],
    [{ key: 'k', value: 1, action: 'delete' }, /does not use value/],
    [{ key: 'k', from_context: 'a', action: 'hash' }, ''],
    [{ key: 'k', from_attribute: 'a', action: 'hash' }, /does not use from_attribute/],
    [{ key: 'k', from_context: 'a', converted_type: 'int', action: 'convert' }, /does not use from_context/],
    [{ key: 'k', action: 'extract' }, /needs a pattern/],
    [{ key: 'k', pattern: '(.)', action: 'extract' }, /name for every group/],
    [{ key: 'k', pattern: '(?P<a>.)(.)', action: 'extract' }, /name for every group/],
    [{ key: 'k', pattern: 'a', action: 'extract' }, /at least one group/],
    [{ key: 'k', pattern: '(', action: 'delete' }, /missing closing/],
    [{ key: 'k', pattern: '(?=a)', action: 'delete' }, /invalid or unsupported/],
    [{ key: 'k', action: 'convert' }, /needs converted_type/],
    [{ key: 'k', converted_type: 'bool', action: 'convert' }, /bool/],
  ]
  for (const [action, expected] of rows) {
    const problem = ofAction(action)
    if (expected === '') assert.equal(problem, '', JSON.stringify(action))
    else assert.match(problem, expected, JSON.stringify(action))
  }
  assert.match(
    problemOf(() => parseConfig(config, { actions: [] })),
    /there is no action/,
  )
  assert.match(
    problemOf(() => parseConfig(config, {})),
    /actions is missing/,
  )
})

const MARK = [{ key: 'k', value: 1, action: 'insert' }]
const ofRules = (include: object): string => problemOf(() => parseConfig(config, { include, actions: MARK }))

test('rules are checked: match_type, patterns, kinds of spans', () => {
  assert.match(ofRules({ span_names: ['a'] }), /match_type is missing/)
  assert.match(ofRules({ match_type: 'expr', span_names: ['a'] }), /expr/)
  assert.match(ofRules({ match_type: 'regexp', span_names: ['a', '('] }), /include\.span_names\[1\]: .*missing closing/)
  assert.match(ofRules({ match_type: 'regexp', attributes: [{ key: 'a', value: 1 }] }), /a value is a pattern/)
  assert.match(ofRules({ match_type: 'strict', span_kinds: ['server'] }), /"server" is no kind of span/)
  assert.match(ofRules({ match_type: 'strict', span_kinds: ['SPAN_KIND_UNSPECIFIED'] }), /no kind of span/)
  assert.match(ofRules({ match_type: 'strict', resources: [{ key: '' }] }), /resources\[0\]\.key: key is empty/)
  assert.equal(ofRules({ match_type: 'strict', span_kinds: ['SPAN_KIND_SERVER'] }), '')
  assert.match(ofRules({ match_type: 'strict', span_nams: ['a'] }), /span_nams/)
})

test('a rule that a signal does not have is refused where the signal is known', () => {
  const create = (signal: Signal, rules: object): string =>
    problemOf(() =>
      factory.create(parseConfig(config, { include: { match_type: 'strict', ...rules }, actions: MARK }), {
        ...rig().context('processor', 'attributes/x'),
        signal,
        pipeline: signal,
      }),
    )
  assert.match(
    create('traces', { log_bodies: ['a'] }),
    /processors\.attributes\/x\.include: log_bodies cannot be asked/,
  )
  assert.match(create('traces', {}), /traces need one of services/)
  assert.match(
    create('logs', { span_names: ['a'], services: ['b'] }),
    /services and span_names cannot be asked of logs/,
  )
  assert.match(create('logs', {}), /logs need one of log_bodies/)
  assert.equal(create('logs', { log_severity_number: { min: 9 } }), '')
  assert.match(create('metrics', { services: ['a'] }), /services cannot be asked of metrics/)
  assert.match(create('metrics', {}), /metrics need one of metric_names, resources/)
  assert.equal(create('metrics', { resources: [{ key: 'a' }] }), '')
})
