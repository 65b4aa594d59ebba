// A server that a test has started on loopback, with files of the test's own: ready when its port answers, or when it says so
// itself. Debian's packages are installed where they are missing.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { until } from './until.ts'

const INSTALL_MS = 120_000
/** What every test run wants. One call of apt-get for all: each takes seconds, and the next may not begin before its end. */
const ALWAYS = ['prometheus', 'prometheus-alertmanager', 'influxdb', 'victoria-metrics', 'mosquitto', 'nats-server']
const START_MS = 60_000
const SIGNAL_AGAIN_MS = 500
const STOP_MS = 30_000
/** As the shell finds it, and where Debian has daemons. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

/** What tests, and programs that are none, offer. */
export interface Ground {
  after(end: () => unknown): void
}

export interface Server {
  /** What it was given to be ready by; 0 where that is no port. */
  readonly port: number
  /** Resolves when it is ready. */
  start(): Promise<void>
  /** SIGTERM by default. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** False when the Debian package's program is there, or has been installed just now; else why not, for `skip`. */
export function packageMissing(name: string, program: string): string | false {
  // Not run: some start more than themselves.
  const isThere = (): boolean =>
    spawnSync('sh', ['-c', 'command -v "$0"', program], { env: { PATH }, stdio: 'ignore' }).status === 0
  if (isThere()) return false
  if (process.getuid?.() !== 0) return `${name} is not installed, and only root could install it`
  // Packages start what they bring, and nobody here would end it.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  // Other test files may be installing just now.
  const args = ['install', '-y', '--no-install-recommends', '-o', `DPkg::Lock::Timeout=${INSTALL_MS / 1000}`]
  const install = (names: readonly string[]): boolean =>
    spawnSync('apt-get', [...args, ...names], { timeout: INSTALL_MS, stdio: 'ignore', env }).status === 0
  if (!ALWAYS.includes(name) || !install(ALWAYS)) install([name])
  return isThere() ? false : `${name} is not installed, and apt-get could not install it`
}

/** Starts it, and ends it with the test. `ready` is its port, or what tells; where that throws it is asked again. */
export async function serverProcess(
  t: Ground,
  ready: number | (() => Promise<boolean>),
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  let child: ChildProcess | undefined
  const isReady = typeof ready === 'number' ? () => answers(ready) : () => ready().catch(() => false)
  const startOnce = async (): Promise<void> => {
    let said = ''
    const own = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH, ...env } })
    child = own
    for (const stream of [own.stdout!, own.stderr!])
      stream.on('data', (words) => {
        said = (said + String(words)).slice(-4000)
      })
    await until(async () => {
      if (own.exitCode !== null || own.signalCode !== null) throw new Error(`${program} ended: ${said}`)
      return await isReady()
    }, START_MS)
  }
  const server: Server = {
    port: typeof ready === 'number' ? ready : 0,
    async start() {
      // Whoever asked for a free port meanwhile may have been given ours: it comes back with the end of that test.
      for (const end = performance.now() + START_MS; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
        try {
          return await startOnce()
        } catch (error) {
          if (!/address already in use/i.test(String(error)) || performance.now() > end) throw error
        }
      }
    },
    async stop(signal = 'SIGTERM') {
      const own = child
      child = undefined
      if (own === undefined || own.exitCode !== null || own.signalCode !== null) return
      const ended = new Promise((resolve) => own.once('exit', resolve))
      own.kill(signal)
      // mosquitto listens before it minds signals: one that comes in between it forgets.
      const again = setInterval(() => own.kill(signal), SIGNAL_AGAIN_MS)
      const kill = setTimeout(() => own.kill('SIGKILL'), STOP_MS)
      await ended
      clearInterval(again)
      clearTimeout(kill)
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
