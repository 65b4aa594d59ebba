// What a session needs of a client's configuration: addresses, credentials, and TLS that follows its files.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Clock } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import { warnOfOpenFile } from '../secret-file.ts'
import { type ClientTlsOptions, loadClientTls } from '../tls/load.ts'
import { watchClientTls } from '../tls/reload.ts'
import type { MqttClientConfig } from './config.ts'
import type { SessionOptions } from './session.ts'
import { findBroker } from './transport.ts'

export interface MqttClient {
  readonly options: Pick<
    SessionOptions,
    'brokers' | 'tls' | 'headers' | 'version' | 'credentials' | 'keepAliveSeconds' | 'connectTimeoutMs' | 'backoff'
  >
  /** Its files are no longer watched. */
  stop(): void
}

/** Throws with words when a file of it cannot be read. */
export function openClient(cfg: MqttClientConfig, around: { readonly clock: Clock; readonly log: Logger }): MqttClient {
  const { log } = around
  const brokers = cfg.brokers.map((broker) => findBroker(broker)!)
  let tls: ClientTlsOptions | undefined
  let stop = (): void => {}
  if (brokers.some(({ secure }) => secure)) {
    tls = loadClientTls(cfg.tls, true)
    const watch = watchClientTls(cfg.tls, (next) => void (tls = next), around)
    stop = () => watch.stop()
  } else if (cfg.password !== undefined || cfg.passwordFile !== '')
    log.warn('the password travels without TLS', { fix: 'write mqtts:// where the broker can' })
  if (cfg.passwordFile !== '') {
    warnOfOpenFile(cfg.passwordFile, log)
    readPassword(cfg.passwordFile)
  }
  return {
    options: {
      brokers,
      tls: () => tls,
      headers: [...cfg.headers].map(([name, value]) => [name, value.reveal()] as const),
      version: cfg.protocolVersion === 'auto' ? 'auto' : cfg.protocolVersion === '5' ? 5 : 4,
      credentials: () => ({
        username: cfg.username === '' ? undefined : cfg.username,
        password: cfg.passwordFile === '' ? cfg.password?.reveal() : readPassword(cfg.passwordFile),
      }),
      keepAliveSeconds: Math.floor(cfg.keepAliveMs / 1000),
      connectTimeoutMs: cfg.connectTimeoutMs,
      backoff: cfg.reconnect,
    },
    stop,
  }
}

/** The one that was given, or one of the host's name and `id`. */
export const clientIdOf = (given: string, id: string): string =>
  given === '' ? `millrace-${hostname()}-${id}`.replaceAll(/[^\w.-]/g, '-') : given

function readPassword(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new Error(`password_file ${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
