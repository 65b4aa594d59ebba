// Servers as Debian has them, installed where they are missing and started on loopback.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

const INSTALL_MS = 90_000
const START_MS = 20_000

/** False when the program is there, or has been installed just now; else why not, for `skip`. */
export function debianMissing(program: string, packageName = program): string | false {
  if (isThere(program)) return false
  if (process.getuid?.() !== 0) return `${program} is not installed, and only root could install it`
  const options = { timeout: INSTALL_MS, stdio: 'ignore' } as const
  // Packages start what they bring, and nobody here would end it.
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', packageName], { ...options, env: environment })
  return isThere(program) ? false : `${program} is not installed, and apt-get could not install it`
}

// As the shell finds it, and where Debian has daemons.
function isThere(program: string): boolean {
  const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { env: { PATH: path }, stdio: 'ignore' }).status === 0
}

export interface Server {
  /** Resolves when it is ready. */
  start(): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts it, and ends it with the test. It is ready when `ready` resolves with true; one that throws is asked again. */
export async function server(
  t: Pick<TestContext, 'after'>,
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
): Promise<Server> {
  let child: ChildProcess | undefined
  let said = ''
  const self: Server = {
    async start() {
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
      const own = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
      child = own
      for (const stream of [own.stdout!, own.stderr!])
        stream.on('data', (words: Buffer) => (said = (said + String(words)).slice(-4_000)))
      await until(async () => {
        if (own.exitCode !== null) throw new Error(`${command} ended: ${said}`)
        return await ready().catch(() => false)
      }, START_MS)
    },
    async stop(signal = 'SIGTERM') {
      const own = child
      child = undefined
      if (own === undefined || own.exitCode !== null || own.signalCode !== null) return
      const ended = new Promise((resolve) => own.once('exit', resolve))
      own.kill(signal)
      await ended
    },
  }
  t.after(() => self.stop())
  await self.start()
  return self
}
