// Sparkplug B has a connection of its own (sparkplug/host.ts): a rule names it like any decoder, and none of its messages
// comes here.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { defineDecoder } from './decoder.ts'

export const SPARKPLUG_B = 'sparkplug_b'

export const sparkplugB = defineDecoder({
  name: SPARKPLUG_B,
  summary:
    'Sparkplug B, over a connection of its own: births, data and deaths of edge nodes and devices; see Sparkplug below.',
  create: () => () => {
    throw new BadPayload('not_sparkplug', 'Sparkplug has a connection of its own')
  },
})
