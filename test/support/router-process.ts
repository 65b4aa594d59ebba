// A router as users run it: a process of its own, started on a configuration text, stopped at the end of the test.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
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

/** Below the range from which systems give ports to whoever asks for any, so that nobody else is given one of ours. */
const PORTS = { from: 20_000, count: 12_000 }

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
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
    until(text, withinMs = 15_000) {
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
