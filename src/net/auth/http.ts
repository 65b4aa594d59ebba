// The authenticator of an HTTP listener: the headers of a request, and those of the query's parameters that count as such.

import type { IncomingMessage } from 'node:http'
import {
  type AuthDecision,
  type ExtensionFinder,
  findServerAuthenticator,
  type RequestHeaders,
  type ServerAuthenticator,
} from './authenticator.ts'

export interface HttpAuthenticator {
  readonly challenge: string
  authenticate(request: IncomingMessage): AuthDecision | Promise<AuthDecision>
}

export interface HttpAuthConfig {
  readonly authenticator: string
  readonly requestParams: readonly string[]
}

/** Undefined where none is configured. Throws when the extension does not run. */
export function httpAuthenticator(
  config: HttpAuthConfig | undefined,
  context: Partial<ExtensionFinder>,
): HttpAuthenticator | undefined {
  if (config === undefined) return undefined
  const found: ServerAuthenticator = findServerAuthenticator(
    { extension: (id) => context.extension?.(id) },
    config.authenticator,
  )
  const { requestParams } = config
  return {
    challenge: found.challenge,
    authenticate: (request) =>
      found.authenticate(
        requestParams.length === 0 ? headersOf(request) : withParameters(request, headersOf(request), requestParams),
      ),
  }
}

const headersOf = ({ headers }: IncomingMessage): RequestHeaders => {
  return (name) => {
    const value = headers[name]
    return typeof value === 'string' || value === undefined ? value : value[0]
  }
}

/** A parameter goes before the header of the same name, as in the Collector. */
function withParameters(request: IncomingMessage, headers: RequestHeaders, names: readonly string[]): RequestHeaders {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  if (at < 0) return headers
  const query = new URLSearchParams(url.slice(at + 1))
  return (name) => {
    const parameter = names.find((one) => one.toLowerCase() === name)
    return (parameter === undefined ? null : query.get(parameter)) ?? headers(name)
  }
}
