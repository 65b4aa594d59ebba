// Says in words that a port is taken, before the router says it in its own.

import { lookup } from 'node:dns/promises'
import { createServer } from 'node:net'

export interface Wanted {
  /** What it is for, for example `OTLP/gRPC`. */
  readonly use: string
  readonly host: string
  readonly port: number
  /** The variable that moves it elsewhere, and its value for another port. */
  readonly variable: string
  readonly value: (port: number) => string
}

/** `host:port`, as the variables of configs/plant.yaml hold it. */
export function readAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}

function isTakenAt(address: string | undefined, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'))
    server.listen(port, address, () => server.close(() => resolve(false)))
  })
}

/** A name may stand for addresses of both families, and somebody may hold either. */
async function isTaken({ host, port }: Wanted): Promise<boolean> {
  if (host === '') return isTakenAt(undefined, port)
  const addresses = await lookup(host, { all: true }).catch(() => [])
  for (const { address } of addresses) if (await isTakenAt(address, port)) return true
  return false
}

/** One sentence, and what to type, for each address that somebody else holds. */
export async function describeTakenPorts(wanted: readonly Wanted[]): Promise<string[]> {
  const lines: string[] = []
  for (const entry of wanted) {
    if (!(await isTaken(entry))) continue
    const elsewhere = (entry.port % 50_000) + 10_000
    lines.push(
      `${entry.host}:${entry.port} (${entry.use}) is taken by another program, perhaps another collector.`,
      `  Stop it, or start the demo elsewhere:  ${entry.variable}=${entry.value(elsewhere)} npm start`,
    )
  }
  return lines
}
