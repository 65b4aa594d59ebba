// Our own name and password, in every request.

import type { ExtensionContext } from '../../graph/component.ts'
import type { ClientAuthenticator } from '../../net/auth/authenticator.ts'
import { WatchedFile } from '../../net/secret-file.ts'
import type { BasicClientConfig } from './config.ts'

export class BasicClient implements ClientAuthenticator {
  readonly #config: BasicClientConfig
  readonly #username: WatchedFile<string> | undefined
  readonly #password: WatchedFile<string> | undefined
  #header = ''

  constructor(config: BasicClientConfig, context: ExtensionContext) {
    this.#config = config
    const watch = (path = ''): WatchedFile<string> | undefined =>
      path === '' ? undefined : new WatchedFile(path, readLine, context, () => this.#use())
    this.#username = watch(config.usernameFile)
    this.#password = watch(config.passwordFile)
  }

  start(): void {
    this.#username?.start()
    this.#password?.start()
    this.#use()
  }

  stop(): void {
    this.#username?.stop()
    this.#password?.stop()
  }

  authorize(headers: Map<string, string>): void {
    headers.set('authorization', this.#header)
  }

  #use(): void {
    const name = this.#username?.value ?? this.#config.username ?? ''
    const password = this.#password?.value ?? this.#config.password?.reveal() ?? ''
    this.#header = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
  }
}

/** What stands in the file, without white space around it. */
function readLine(text: string): string {
  const line = text.trim()
  if (line === '') throw new Error('it is empty')
  return line
}
