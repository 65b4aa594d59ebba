// A port as the Collector's dns resolver takes it: a text or a number.

import { type Node, quote } from '../../config/node.ts'
import { type At, type Invalid, type JsonSchema, stringType, type ValueType } from '../../config/types.ts'

const LARGEST = 65_535

export const portType: ValueType<string> = {
  words: 'port',
  secret: false,
  decode(node: Node, at: At): string | Invalid {
    const isNumber = node.kind === 'scalar' && typeof node.value === 'number'
    const text = isNumber ? String(node.value) : stringType.decode(node, at)
    if (typeof text !== 'string' || text === '') return text
    const port = Number(text)
    if (/^\d+$/.test(text) && port > 0 && port <= LARGEST) return text
    return at.problem('CONFIG_OUT_OF_RANGE', `${quote(node)} is not a port`, `write 1 to ${LARGEST}`, node.place)
  },
  print: (value) => value,
  json: (): JsonSchema => ({ anyOf: [{ type: 'string' }, { type: 'integer', minimum: 1, maximum: LARGEST }] }),
  zero: () => '',
}
