// Says in words that a port is taken, before the router says it in its own.

import { createServer } from 'node:net'
import type { Endpoint } from '../src/ui/snapshot.ts'

export interface Wanted extends Endpoint {
  /** The variable that moves it elsewhere. */
  readonly variable: string
}

function isTaken(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'))
    server.listen(Number(address.slice(colon + 1)), host || undefined, () => server.close(() => resolve(false)))
  })
}

/** One sentence, and what to type, for each address that somebody else holds. */
export async function describeTakenPorts(wanted: readonly Wanted[]): Promise<string[]> {
  const lines: string[] = []
  for (const { protocol, address, variable } of wanted) {
    if (!(await isTaken(address))) continue
    const elsewhere = address.replace(/\d+$/, (port) => String((Number(port) % 50_000) + 10_000))
    lines.push(
      `${address} (OTLP/${protocol === 'grpc' ? 'gRPC' : 'HTTP'}) is taken by another program, perhaps another collector.`,
      `  Stop it, or start the demo elsewhere:  ${variable}=${elsewhere} npm start`,
      '  (in a configuration of your own: receivers, otlp, protocols, endpoint)',
    )
  }
  return lines
}
