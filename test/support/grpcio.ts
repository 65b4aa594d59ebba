// Python's grpcio, the client on gRPC's C core: the one of the python3 in PATH, or one that is fetched once with pip and
// kept in the user's cache.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const VERSION = '1.85.0'

export interface Python {
  readonly command: string
  readonly env: NodeJS.ProcessEnv
}

const canImport = (python: Python): boolean =>
  spawnSync(python.command, ['-c', 'import grpc'], { env: python.env }).status === 0

/** A Python that can `import grpc`, or the reason why there is none. Fetching takes some seconds, once a machine. */
export function findGrpcio(): Python | string {
  const command = process.env.MILLRACE_TEST_PYTHON ?? 'python3'
  const own: Python = { command, env: process.env }
  if (canImport(own)) return own
  const asked = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' })
  if (asked.status !== 0) return `there is no ${command}`
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const target = join(cache, 'millrace-servers', `grpcio-${VERSION}-python${asked.stdout.trim()}`)
  const fetched: Python = { command, env: { ...process.env, PYTHONPATH: target } }
  if (!existsSync(target)) {
    mkdirSync(dirname(target), { recursive: true })
    const made = mkdtempSync(`${target}-`)
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', made, `grpcio==${VERSION}`]
    if (spawnSync(command, pip, { timeout: 60_000 }).status !== 0)
      return `pip cannot install grpcio ${VERSION} for ${command}`
    if (!existsSync(target)) renameSync(made, target)
  }
  return canImport(fetched) ? fetched : `the grpcio in ${target} does not load`
}
