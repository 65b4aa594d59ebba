// Eclipse mosquitto as Debian has it: a real broker, on loopback, with files of the test's own.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownDirectory } from './disk.ts'
import { type Ground, packageMissing, type Server, serverProcess } from './server-process.ts'

/** False when it is there, or has been installed just now; else why not, for `skip`. */
export const mosquittoMissing = (): string | false => packageMissing('mosquitto', 'mosquitto')

/** With SIGTERM it writes its sessions to disk. */
export type Mosquitto = Server

/** `lines` go into its configuration file behind the listener on `port`. Ended with the test. */
export async function mosquitto(t: Ground, port: number, lines: readonly string[] = []): Promise<Mosquitto> {
  const directory = ownDirectory(t)
  // Started by root it becomes the user mosquitto.
  chmodSync(directory, 0o777)
  const file = join(directory, 'mosquitto.conf')
  const text = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_inflight_messages 5000',
    'max_queued_messages 0',
    'persistence true',
    `persistence_location ${directory}/`,
    'set_tcp_nodelay true',
    ...lines,
  ]
  writeFileSync(file, `${text.join('\n')}\n`)
  return await serverProcess(t, port, ['mosquitto', '-c', file])
}
