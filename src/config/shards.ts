// The value of service.shards: a number of threads, or a word for what fits the machine.

import { intType } from './numeric-types.ts'
import { INVALID, orReference, textOf, type ValueType, wrongType } from './types.ts'

export type Shards = number | 'auto'

/** More threads than any gateway has processors for; each costs some 20 MiB. */
export const SHARDS_MAX = 64

const number = intType({ min: 1, max: SHARDS_MAX })

export const shardsType: ValueType<Shards> = {
  words: 'integer or auto',
  secret: false,
  decode(node, at) {
    if (textOf(node) === 'auto') return 'auto'
    const isNumber = node.kind === 'scalar' && node.value !== null && typeof node.value !== 'string'
    if (!isNumber || typeof node.value === 'boolean')
      return wrongType(node, at, `number from 1 to ${SHARDS_MAX}, or auto`)
    const value = number.decode(node, at)
    return value === INVALID ? INVALID : value
  },
  print: (value) => value,
  json: () => ({ anyOf: [{ const: 'auto' }, orReference({ type: 'integer', minimum: 1, maximum: SHARDS_MAX })] }),
  zero: () => 1,
}
