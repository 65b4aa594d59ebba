// What a thread reads from and waits, out of V8's reach, until the test lets it go.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A named pipe, and what lets go whoever waits to read from it. */
export function namedPipe(t: TestContext): { readonly pipe: string; release(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pipe-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const release = (): void => {
    try {
      closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENXIO', 'nobody reads')
    }
  }
  t.after(() => {
    release()
    rmSync(folder, { recursive: true })
  })
  return { pipe, release }
}
