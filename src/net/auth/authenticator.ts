// Who may send to us, and how we say who we are: what an authenticator extension offers to listeners and to clients.
//
//   request's headers --> ServerAuthenticator --> attributes (ClientInfo.auth), or an AuthRefusal
//   ClientInfo of a batch --> ClientAuthenticator --> headers of the request that carries it
//
// An authenticator answers at once where it can: only one that has to ask somebody else returns a promise. Neither side
// ever logs a credential, or puts one into an error.

import type { ClientInfo } from '../../otlp/batch.ts'
import { GRPC } from '../status.ts'

/** What is known of a caller once it is let in; headers_setter and `from_context: auth.NAME` read it. */
export type AuthAttributes = ReadonlyMap<string, unknown>

export const NO_ATTRIBUTES: AuthAttributes = new Map()

/** A caller that is not let in. `message` is told to it and to the log, so it must not quote a credential. */
export class AuthRefusal {
  /** UNAUTHENTICATED, or UNAVAILABLE where the same credential may be good a little later. */
  readonly code: number
  readonly message: string

  constructor(message: string, code: number = GRPC.UNAUTHENTICATED) {
    this.message = message
    this.code = code
  }
}

/** The value of a header by its name in lower case; of repeated ones the first, or all joined by commas. */
export type RequestHeaders = (name: string) => string | undefined

export type AuthDecision = AuthAttributes | AuthRefusal

export interface ServerAuthenticator {
  /** Answers by WWW-Authenticate (RFC 9110 11.6.1): scheme and parameters. */
  readonly challenge: string
  /** Never rejects and never throws. `headers` may be read during the call only. */
  authenticate(headers: RequestHeaders): AuthDecision | Promise<AuthDecision>
}

export interface ClientAuthenticator {
  /**
   * Writes into `headers`, names in lower case, which belong to one request and hold what the exporter itself is
   * configured to send. Throws or rejects with a DeliveryError when there is no credential.
   */
  authorize(headers: Map<string, string>, client: ClientInfo): void | Promise<void>
  /**
   * The next hop did not take these headers (HTTP 401, gRPC 16). True when the next try would carry another credential,
   * so that trying again makes sense.
   */
  rejected?(headers: ReadonlyMap<string, string>): boolean
}

/** What an extension that authenticates has beside its life cycle; which of the two depends on its configuration. */
export interface AuthExtension {
  readonly serverAuthenticator?: ServerAuthenticator
  readonly clientAuthenticator?: ClientAuthenticator
}

export interface ExtensionFinder {
  extension(id: string): object | undefined
}

/** Call it in start(). Throws when the extension does not run here; validate has found that before (config/extension-references.ts). */
export function findServerAuthenticator(context: ExtensionFinder, id: string): ServerAuthenticator {
  const found = (context.extension(id) as AuthExtension | undefined)?.serverAuthenticator
  if (found === undefined) throw new Error(`auth: there is no running extension ${id} that can check who sends`)
  return found
}

export function findClientAuthenticator(context: ExtensionFinder, id: string): ClientAuthenticator {
  const found = (context.extension(id) as AuthExtension | undefined)?.clientAuthenticator
  if (found === undefined) throw new Error(`auth: there is no running extension ${id} that adds credentials`)
  return found
}

/** Waits for a credential until the signal aborts, and rejects with its reason then. */
export function orAborted(credential: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason)
    if (signal.aborted) aborted()
    signal.addEventListener('abort', aborted, { once: true })
    credential.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}
