// A router as users run it: a process of its own, started on a configuration text, stopped at the end of the test.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import type { TestContext } from 'node:test'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

export interface RouterProcess {
  readonly process: ChildProcess
  /** Everything it wrote to standard error and output so far. */
  said(): string
  /** Resolves when it has said `text`; rejects when it ends before, or after `withinMs`. */
  until(text: string, withinMs?: number): Promise<void>
  /** Sends the signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly exited: Promise<number | null>
}

/** Below the range from which systems give ports to whoever asks for any; each process that tests has a hundred of its own. */
const PORTS = { from: 20_000, shares: 120, each: 100 }
let own: Promise<number> | undefined
let given = 0

/** Free, all different, and given to no other test on this machine. */
export async function freePorts(count: number): Promise<number[]> {
  const first = await (own ??= ownShare())
  const ports: number[] = []
  while (ports.length < count) {
    const port = first + 1 + (given++ % (PORTS.each - 1))
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

/** Whoever holds the first port of a share has the rest, until it ends. */
async function ownShare(): Promise<number> {
  for (let share = Math.floor(Math.random() * PORTS.shares); ; share = (share + 1) % PORTS.shares) {
    const first = PORTS.from + share * PORTS.each
    const held = await hold(first)
    held?.unref()
    if (held !== undefined) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const held = await hold(port)
  if (held !== undefined) await new Promise((resolve) => held.close(resolve))
  return held !== undefined
}

const hold = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

export function startProcess(t: TestContext, args: readonly string[], env: Record<string, string> = {}): RouterProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let said = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      for (const listener of listeners) listener()
    })
  }
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  return {
    process: child,
    said: () => said,
    until(text, withinMs = 60_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(new Error(`did not say ${JSON.stringify(text)} in time:\n${said}`)),
          withinMs,
        )
        const finish = (error?: Error): void => {
          clearTimeout(timer)
          listeners.delete(look)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = (): void => {
          if (said.includes(text)) finish()
        }
        listeners.add(look)
        look()
        void exited.then((code) => {
          look()
          finish(new Error(`ended with ${code}:\n${said}`))
        })
      })
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
    exited,
  }
}

/** A router on this configuration, ready. */
export async function startRouterProcess(
  t: TestContext,
  yaml: string,
  args: readonly string[] = [],
): Promise<RouterProcess> {
  const router = startProcess(t, ['--config', `yaml:${yaml}`, ...args])
  await router.until('Everything is ready')
  return router
}
