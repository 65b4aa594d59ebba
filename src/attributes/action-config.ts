// The keys of one action on attributes, and which of them go together (reference/otelcol-processors.md 3.1).
//
//   insert, update, upsert   key, and one of value, from_attribute, from_context (or default_value alone)
//   delete, hash             key or pattern or both
//   extract                  key, and pattern with a name for every group
//   convert                  key, and converted_type

import { anyValue, type Complain, choice, type Infer, object, string } from '../config/schema.ts'
import { findPatternProblem, Pattern } from './pattern.ts'

export const actionConfig = object(
  {
    key: string('key', { default: '', doc: 'The attribute that the action is about.' }),
    action: choice('action', {
      required: true,
      ignoreCase: true,
      of: {
        insert: 'Adds the attribute where the key is not there yet.',
        update: 'Gives the attribute another value where the key is there.',
        upsert: 'Adds the attribute or gives it another value.',
        delete: 'Removes the attribute, and all whose keys match the pattern.',
        hash: 'Replaces the value by its SHA-256 in hexadecimal digits, also those whose keys match the pattern.',
        extract: "Sets one attribute per named group of the pattern from what it matches in the key's value.",
        convert: 'Converts the value to another type; a value that cannot be converted stays as it is.',
      },
      doc: 'What to do.',
    }),
    value: anyValue('value', {
      optional: true,
      doc: 'The value to write: text, number, true or false, list or map.',
    }),
    fromAttribute: string('from_attribute', {
      optional: true,
      doc: 'The attribute whose value is written; nothing happens where it is not there and default_value is not given.',
    }),
    fromContext: string('from_context', {
      optional: true,
      doc: "Where from the request's context: `metadata.NAME` for a header of the client, `auth.NAME` for what an authenticator found, `client.address` for its address.",
    }),
    defaultValue: anyValue('default_value', {
      optional: true,
      doc: 'What to write where from_attribute or from_context finds nothing.',
    }),
    pattern: string('pattern', {
      optional: true,
      doc: 'A regular expression in the syntax of RE2, which may match anywhere. Of keys for delete and hash, of the value for extract.',
    }),
    convertedType: choice('converted_type', {
      optional: true,
      of: { string: 'Text.', int: 'A whole number of 64 bits.', double: 'A floating-point number.' },
      doc: 'The type to convert to.',
    }),
  },
  {
    check(value, problem) {
      CHECKS[value.action](value, problem)
      if (value.pattern === undefined || value.pattern === '') return
      const wrong = findPatternProblem(value.pattern)
      if (wrong !== undefined) problem('pattern', wrong, 'write a regular expression in the syntax of RE2')
      else if (value.action === 'extract') checkGroups(value.pattern, problem)
    },
  },
)

export type ActionConfig = Infer<typeof actionConfig>

type Check = (value: ActionConfig, problem: Complain) => void

const isGiven = (text: string | undefined): text is string => text !== undefined && text !== ''
const hasValue = (value: unknown): boolean => value !== undefined && value !== null

function requireKey(value: ActionConfig, problem: Complain): void {
  if (value.key === '') problem('key', `${value.action} needs a key`, 'write key: the name of an attribute')
}

/** The Collector lets `from_context` pass where it only has no effect: with delete and hash. */
function forbidSources(value: ActionConfig, problem: Complain, letContextPass = false): void {
  const sources = [
    ['value', hasValue(value.value)],
    ['from_attribute', isGiven(value.fromAttribute)],
    ['from_context', isGiven(value.fromContext) && !letContextPass],
  ] as const
  for (const [key, given] of sources) if (given) problem(key, `${value.action} does not use ${key}`, `remove ${key}`)
}

function forbidPattern(value: ActionConfig, problem: Complain): void {
  if (isGiven(value.pattern)) problem('pattern', `${value.action} does not use pattern`, 'remove pattern')
}

function forbidType(value: ActionConfig, problem: Complain): void {
  if (value.convertedType !== undefined)
    problem('converted_type', `${value.action} does not use converted_type`, 'remove converted_type')
}

const checkWrite: Check = (value, problem) => {
  requireKey(value, problem)
  forbidPattern(value, problem)
  forbidType(value, problem)
  const given = [hasValue(value.value), isGiven(value.fromAttribute), isGiven(value.fromContext)].filter(Boolean).length
  if (given > 1) problem('', `${value.action} takes one of value, from_attribute and from_context`, 'keep one of them')
  if (given === 0 && !hasValue(value.defaultValue))
    problem(
      '',
      `${value.action} needs one of value, from_attribute and from_context`,
      'write value: and what it shall be',
    )
}

const checkKeyOrPattern: Check = (value, problem) => {
  if (value.key === '' && !isGiven(value.pattern))
    problem('key', `${value.action} needs a key or a pattern`, 'write key: the name of an attribute')
  forbidSources(value, problem, true)
  forbidType(value, problem)
}

const CHECKS: Readonly<Record<ActionConfig['action'], Check>> = {
  insert: checkWrite,
  update: checkWrite,
  upsert: checkWrite,
  delete: checkKeyOrPattern,
  hash: checkKeyOrPattern,
  extract(value, problem) {
    requireKey(value, problem)
    forbidSources(value, problem)
    forbidType(value, problem)
    if (!isGiven(value.pattern))
      problem('pattern', 'extract needs a pattern', 'write a regular expression such as ^/line/(?P<plant_line>\\d+)')
  },
  convert(value, problem) {
    requireKey(value, problem)
    forbidSources(value, problem)
    forbidPattern(value, problem)
    if (value.convertedType === undefined)
      problem('converted_type', 'convert needs converted_type', 'write converted_type: string, int or double')
  },
}

function checkGroups(text: string, problem: Complain): void {
  const names = new Pattern(text).groupNames()
  const fix = 'write a name for every group, as in (?P<plant_line>\\d+)'
  if (names.length === 0) problem('pattern', 'extract needs at least one group with a name', fix)
  else if (names.includes(undefined)) problem('pattern', 'extract needs a name for every group', fix)
}
