// Eclipse mosquitto as Debian has it: a real broker, on loopback, with files of the test's own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ownDirectory } from './disk.ts'
import { until } from './until.ts'

const INSTALL_MS = 60_000

/** False when it is there, or has been installed just now; else why not, for `skip`. */
export function mosquittoMissing(): string | false {
  if (isThere()) return false
  if (process.getuid?.() !== 0) return 'mosquitto is not installed, and only root could install it'
  const options = { timeout: INSTALL_MS, stdio: 'ignore' } as const
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'mosquitto'], options)
  return isThere() ? false : 'mosquitto is not installed, and apt-get could not install it'
}

const isThere = (): boolean => {
  const { status, error } = spawnSync('mosquitto', ['-h'], { stdio: 'ignore' })
  return error === undefined && status !== null
}

export interface Mosquitto {
  readonly port: number
  start(): Promise<void>
  /** With SIGTERM, the default, it writes its sessions to disk. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** `lines` go into its configuration file behind the listener on `port`. Ended with the test. */
export async function mosquitto(t: TestContext, port: number, lines: readonly string[] = []): Promise<Mosquitto> {
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
  let child: ChildProcess | undefined
  let said = ''
  const broker: Mosquitto = {
    port,
    async start() {
      const own = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'pipe', 'pipe'] })
      child = own
      for (const stream of [own.stdout!, own.stderr!]) stream.on('data', (words) => (said += String(words)))
      await until(async () => {
        if (own.exitCode !== null) throw new Error(`mosquitto ended: ${said}`)
        return await answers(port)
      })
    },
    async stop(signal = 'SIGTERM') {
      const own = child
      child = undefined
      if (own === undefined || own.exitCode !== null) return
      const ended = new Promise((resolve) => own.once('exit', resolve))
      own.kill(signal)
      await ended
    },
  }
  t.after(() => broker.stop())
  await broker.start()
  return broker
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
