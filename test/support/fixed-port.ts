// Ports for what ends and comes back on the same one: outside of the range from which the kernel takes those of clients
// (32768 and up on Linux), so that no client has it meanwhile, and none connects to itself.

import { createServer } from 'node:net'

const FROM = 12_000
const TO = 32_000

/** Free a moment ago; `random` is uniform in [0, 1). */
export async function fixedPort(random: () => number = Math.random): Promise<number> {
  for (;;) {
    const port = FROM + Math.floor(random() * (TO - FROM))
    if (await isFree(port)) return port
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
