// Certificates that are replaced while we run: files are looked at by the clock, and what has changed goes into new
// connections. Those that stand keep what they began with. Files that cannot be used, such as a certificate whose key
// has not been written yet, change nothing, and are looked at again when they have changed once more.

import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import { fileVersion, warnOfOpenFile } from '../secret-file.ts'
import type { TlsClientConfig, TlsServerConfig } from './config.ts'
import {
  type ClientTlsOptions,
  loadClientTls,
  reloadServerAuthority,
  reloadServerCertificate,
  type ServerTlsOptions,
} from './load.ts'

/** How often client_ca_file is looked at (Collector reference 2.2). */
const AUTHORITY_EVERY_MS = 1_000
/** A shorter reload_interval counts as this. */
const LEAST_MS = 100

export interface TlsSurroundings {
  readonly clock: Clock
  readonly log: Logger
}

export interface TlsWatch {
  stop(): void
}

/** Calls `apply` with what a server's new connections are to use. `current` is as loadServerTls read it. */
export function watchServerTls(
  tls: TlsServerConfig,
  current: ServerTlsOptions,
  apply: (options: ServerTlsOptions) => void,
  around: TlsSurroundings,
): TlsWatch {
  warnOfOpenKey(tls, around.log)
  let options = current
  const use = (next: ServerTlsOptions): void => {
    options = next
    apply(next)
  }
  const watches: TlsWatch[] = []
  if (tls.reloadIntervalMs > 0)
    watches.push(watch(tls.reloadIntervalMs, filesOf(tls), () => use(reloadServerCertificate(tls, options)), around))
  if (tls.clientCaFileReload && tls.clientCaFile !== undefined)
    watches.push(watch(AUTHORITY_EVERY_MS, [tls.clientCaFile], () => use(reloadServerAuthority(tls, options)), around))
  return {
    stop() {
      for (const one of watches) one.stop()
    },
  }
}

/** Calls `apply` with what a client's new connections are to use. */
export function watchClientTls(
  tls: TlsClientConfig,
  apply: (options: ClientTlsOptions) => void,
  around: TlsSurroundings,
): TlsWatch {
  warnOfOpenKey(tls, around.log)
  if (tls.reloadIntervalMs === 0) return { stop() {} }
  return watch(tls.reloadIntervalMs, filesOf(tls), () => apply(loadClientTls(tls, true)!), around)
}

function warnOfOpenKey({ keyFile }: TlsClientConfig | TlsServerConfig, log: Logger): void {
  if (keyFile !== undefined) warnOfOpenFile(keyFile, log)
}

const filesOf = ({ caFile, certFile, keyFile }: TlsClientConfig | TlsServerConfig): string[] =>
  [caFile, certFile, keyFile].filter((path) => path !== undefined)

function watch(
  everyMs: number,
  paths: readonly string[],
  reload: () => void,
  { clock, log }: TlsSurroundings,
): TlsWatch {
  if (paths.length === 0) return { stop() {} }
  let known = paths.map(versionNow).join('\n')
  let isLooking = false
  const look = async (): Promise<void> => {
    const version = (await Promise.all(paths.map(versionLater))).join('\n')
    if (version === known) return
    known = version
    try {
      reload()
      log.info('TLS files have changed: new connections use them', { files: paths.join(', ') })
    } catch (error) {
      log.error('TLS files have changed and cannot be used; what they held before stays in use', {
        files: paths.join(', '),
        error: (error as Error).message,
      })
    }
  }
  const timer: Timer = clock.every(Math.max(LEAST_MS, everyMs), () => {
    if (isLooking) return
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  })
  return { stop: () => timer.cancel() }
}

const failed = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unreadable'

function versionNow(path: string): string {
  try {
    return fileVersion(statSync(path))
  } catch (error) {
    return failed(error)
  }
}

const versionLater = (path: string): Promise<string> => stat(path).then(fileVersion, failed)
