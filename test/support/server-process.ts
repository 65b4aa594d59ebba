// A server that a test has started on loopback, with files of the test's own: ready when its port answers.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { until } from './until.ts'

const INSTALL_MS = 120_000
const START_MS = 60_000

/** What tests, and programs that are none, offer. */
export interface Ground {
  after(end: () => unknown): void
}

export interface Server {
  readonly port: number
  start(): Promise<void>
  /** SIGTERM by default. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** False when the Debian package's program is there, or has been installed just now; else why not, for `skip`. */
export function packageMissing(name: string, program: string): string | false {
  // Not run: some start more than themselves.
  const isThere = (): boolean => spawnSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' }).status === 0
  if (isThere()) return false
  if (process.getuid?.() !== 0) return `${name} is not installed, and only root could install it`
  const options = { timeout: INSTALL_MS, stdio: 'ignore' } as const
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', name], options)
  return isThere() ? false : `${name} is not installed, and apt-get could not install it`
}

export async function serverProcess(
  t: Ground,
  port: number,
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  let child: ChildProcess | undefined
  const server: Server = {
    port,
    async start() {
      let said = ''
      const own = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
      child = own
      for (const stream of [own.stdout!, own.stderr!])
        stream.on('data', (words) => {
          said = (said + String(words)).slice(-4000)
        })
      await until(async () => {
        if (own.exitCode !== null || own.signalCode !== null) throw new Error(`${program} ended: ${said}`)
        return await answers(port)
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
  t.after(() => server.stop())
  await server.start()
  return server
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
