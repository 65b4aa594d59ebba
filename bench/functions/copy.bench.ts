// A plain copy of as many bytes as 1000 spans have: the yardstick that the other figures are compared with.

import { bench } from './harness.ts'

const BYTES = 430_000

export default bench({
  name: 'copy/spans-1000',
  items: 1000,
  bytes: BYTES,
  setup: () => ({ from: new Uint8Array(BYTES).fill(7), to: new Uint8Array(BYTES) }),
  run: ({ from, to }) => {
    to.set(from)
    return to[BYTES - 1]
  },
})
