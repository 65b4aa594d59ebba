// Disks that fill: a file system of a few MiB where mounting is allowed, or a bound on the size of every file.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly folder: string
  release(): void
}

/** A tmpfs of that size, or why there is none. */
export function mountSmallDisk(mib: number): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root may mount a small disk'
  const folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], { encoding: 'utf8' })
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true })
    return `a small disk cannot be mounted: ${mounted.stderr}`
  }
  return {
    folder,
    release() {
      spawnSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The program that starts another one whose files cannot grow beyond so much (RLIMIT_FSIZE), or why there is none. */
export function smallFiles(mib: number): readonly string[] | string {
  if (!existsSync('/usr/bin/prlimit')) return 'prlimit is not installed'
  return ['prlimit', `--fsize=${mib * 2 ** 20}`]
}
