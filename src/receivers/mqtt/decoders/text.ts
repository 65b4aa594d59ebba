// The payload as it is, as the body of a log record: text where it is UTF-8, bytes where it is not.

import { defineDecoder } from './decoder.ts'

export const text = defineDecoder({
  name: 'text',
  summary: 'Any payload, as the body of a log record.',
  create: () => (message, out) => out.log({ body: message.bytes.slice(message.from, message.to) }),
})
