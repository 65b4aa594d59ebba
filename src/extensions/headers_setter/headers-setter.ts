// Sets headers of what is sent, from the configuration or from what is known of the client that sent it to us.
//
// Headers of the exporter's own configuration are there already, and those of `additional_auth`: update and delete reach
// them too. A value that is empty sets nothing.

import { DeliveryError } from '../../delivery/error.ts'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { type AuthExtension, type ClientAuthenticator, findClientAuthenticator } from '../../net/auth/authenticator.ts'
import { WatchedFile } from '../../net/secret-file.ts'
import { GRPC } from '../../net/status.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { type HeaderConfig, type HeadersSetterConfig, isHeaderText } from './config.ts'

interface Setter {
  readonly action: HeaderConfig['action']
  readonly key: string
  find(client: ClientInfo): string
}

export class HeadersSetter implements Extension, AuthExtension, ClientAuthenticator {
  readonly #config: HeadersSetterConfig
  readonly #context: ExtensionContext
  readonly #files: WatchedFile<string>[] = []
  readonly #setters: readonly Setter[]
  #additional: ClientAuthenticator | undefined
  readonly clientAuthenticator: ClientAuthenticator = this

  constructor(config: HeadersSetterConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
    this.#setters = config.headers.map((header) => this.#setter(header))
  }

  start(): void {
    const { additionalAuth } = this.#config
    if (additionalAuth !== undefined) this.#additional = findClientAuthenticator(this.#context, additionalAuth)
    for (const file of this.#files) file.start()
  }

  stop(): void {
    for (const file of this.#files) file.stop()
  }

  authorize(headers: Map<string, string>, client: ClientInfo): void | Promise<void> {
    const wait = this.#additional?.authorize(headers, client)
    if (wait === undefined) this.#apply(headers, client)
    else return wait.then(() => this.#apply(headers, client))
  }

  rejected(headers: ReadonlyMap<string, string>): boolean {
    return this.#additional?.rejected?.(headers) ?? false
  }

  #apply(headers: Map<string, string>, client: ClientInfo): void {
    for (const { action, key, find } of this.#setters) {
      if (action === 'delete') headers.delete(key)
      else if (action === 'upsert' || headers.has(key) === (action === 'update')) {
        const value = find(client)
        if (value === '') continue
        if (!isHeaderText(value)) throw badHeader(`the value for ${key} is not printable ASCII`)
        headers.set(key, value)
      }
    }
  }

  #setter({ action, key, value, valueFile, fromContext, fromAttribute, defaultValue }: HeaderConfig): Setter {
    const name = key.toLowerCase()
    const otherwise = defaultValue?.reveal() ?? ''
    const setter = (find: (client: ClientInfo) => string): Setter => ({
      action,
      key: name,
      find: (client) => find(client) || otherwise,
    })
    if (fromContext !== undefined) return setter((client) => ofMetadata(client, fromContext.toLowerCase()))
    if (fromAttribute !== undefined) return setter((client) => ofAttribute(client, fromAttribute))
    if (valueFile === undefined) return setter(() => value?.reveal() ?? '')
    const file = new WatchedFile(valueFile, readValue, this.#context)
    this.#files.push(file)
    return setter(() => file.value)
  }
}

function ofMetadata({ metadata }: ClientInfo, name: string): string {
  const values = metadata?.get(name)
  if (values === undefined || values.length === 0) return ''
  // As in the Collector: whose data it is must not be a guess.
  if (values.length > 1)
    throw badHeader(`the client sent ${values.length} values of ${name}, and only one can be sent on`)
  return values[0]!
}

function ofAttribute({ auth }: ClientInfo, name: string): string {
  const value = auth?.get(name)
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function readValue(text: string): string {
  const value = text.trim()
  if (!isHeaderText(value)) throw new Error('it cannot stand in a header')
  return value
}

const badHeader = (message: string): DeliveryError =>
  new DeliveryError('AUTH_BAD_HEADER', `headers_setter: ${message}`, {
    retry: 'never',
    grpcCode: GRPC.INVALID_ARGUMENT,
  })
