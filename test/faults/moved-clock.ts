// A wall clock that jumps, for a process that is started with it: libfaketime (Debian's faketime), told by a file.

import { globSync, writeFileSync } from 'node:fs'

const LIBRARIES = ['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib*/faketime/libfaketimeMT.so.1']

/** The environment for a process whose clock is moved by what `file` says, or why that cannot be. */
export function movedClock(file: string): Readonly<Record<string, string>> | string {
  const [library] = globSync(LIBRARIES)
  if (library === undefined) return 'libfaketime is not installed'
  moveClock(file, 0)
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    // A jump of the wall clock leaves the monotonic one alone.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

/** From now on the process sees the real time and so many seconds. */
export const moveClock = (file: string, seconds: number): void =>
  writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`)
