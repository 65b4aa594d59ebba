// The client on grpc-go (test/interop/go), built where Go is installed and its modules can be had. The program is kept in
// the user's cache, so that it is built once a machine.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Below the time limit of a test file: a slow build is a reason to skip. */
const BUILD_WITHIN_MS = 90_000
const SOURCES = ['go.mod', 'go.sum', 'main.go'] as const

export interface GoClient {
  readonly command: string
}

/** The program, or the reason why there is none. */
export function findGoClient(): GoClient | string {
  const folder = fileURLToPath(new URL('../interop/go/', import.meta.url))
  const version = spawnSync('go', ['version'], { encoding: 'utf8' })
  if (version.status !== 0) return 'Go is not installed'
  const hash = createHash('sha256').update(version.stdout)
  for (const file of SOURCES) hash.update(readFileSync(join(folder, file)))
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace-servers')
  const command = join(cache, `grpc-go-client-${hash.digest('hex').slice(0, 16)}`)
  if (!existsSync(command)) {
    mkdirSync(cache, { recursive: true })
    const made = `${command}-${process.pid}`
    const built = spawnSync('go', ['build', '-o', made, '.'], {
      cwd: folder,
      timeout: BUILD_WITHIN_MS,
      encoding: 'utf8',
    })
    if (built.status !== 0) return `go build failed: ${built.stderr?.trim().split('\n').at(-1) || 'it took too long'}`
    renameSync(made, command)
  }
  return { command }
}
