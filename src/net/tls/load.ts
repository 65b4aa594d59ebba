// A `tls:` section as options for node:tls. Files are read here: at start, and by reload.ts when they have changed.

import { readFileSync } from 'node:fs'
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls'
import type { Secret } from '../../config/schema.ts'
import type { TlsClientConfig, TlsServerConfig } from './config.ts'
import { CIPHER_SUITES, CURVES, INSECURE_CIPHER_SUITES } from './names.ts'

export interface ServerTlsOptions extends SecureContextOptions {
  requestCert?: boolean
  rejectUnauthorized?: boolean
}

export interface ClientTlsOptions extends SecureContextOptions {
  rejectUnauthorized?: boolean
  /** The name for SNI and for the certificate check, where the endpoint's host is not it. */
  servername?: string
  /** All of the above, made once: with the system's authorities that takes 15 ms. */
  secureContext?: SecureContext
}

/** Throws an Error that names the key and the file when one cannot be read or used. */
export function loadServerTls(tls: TlsServerConfig): ServerTlsOptions {
  return checked({ ...contextOptions(tls), ...clientAuthority(tls) })
}

/** The same options with certificate and key read again. Throws as loadServerTls does. */
export function reloadServerCertificate(tls: TlsServerConfig, { ca }: ServerTlsOptions): ServerTlsOptions {
  return checked({ ...contextOptions(tls), ...(ca === undefined ? {} : authorityOptions(ca)) })
}

/** The same options with the authorities of clients read again. Throws as loadServerTls does. */
export function reloadServerAuthority(tls: TlsServerConfig, options: ServerTlsOptions): ServerTlsOptions {
  return checked({ ...options, ...clientAuthority(tls) })
}

function clientAuthority({ clientCaFile }: TlsServerConfig): ServerTlsOptions {
  if (clientCaFile === undefined) return {}
  return authorityOptions(withCertificate('client_ca_file', readPem('client_ca_file', clientCaFile)))
}

const authorityOptions = (ca: NonNullable<ServerTlsOptions['ca']>): ServerTlsOptions => ({
  ca,
  requestCert: true,
  rejectUnauthorized: true,
})

function checked(options: ServerTlsOptions): ServerTlsOptions {
  makeContext(options)
  return options
}

/**
 * Undefined when the connection goes without TLS: `insecure: true` and no authority given. A scheme of https in the
 * endpoint decides otherwise; that is the caller's to know, who passes `force`. Throws as loadServerTls does.
 */
export function loadClientTls(tls: TlsClientConfig, force = false): ClientTlsOptions | undefined {
  const authority = withCertificate(tls.caFile === undefined ? 'ca_pem' : 'ca_file', pem('ca', tls.caFile, tls.caPem))
  if (tls.insecure && authority === undefined && !force) return undefined
  const options: ClientTlsOptions = contextOptions(tls)
  if (authority !== undefined)
    options.ca = tls.includeSystemCaCertsPool ? [authority, ...systemAuthorities()] : authority
  else options.ca = systemAuthorities()
  options.secureContext = makeContext(options)
  if (tls.insecureSkipVerify) options.rejectUnauthorized = false
  if (tls.serverNameOverride !== '') options.servername = tls.serverNameOverride
  return options
}

function contextOptions(tls: TlsClientConfig | TlsServerConfig): SecureContextOptions {
  const options: SecureContextOptions = { minVersion: version(tls.minVersion) }
  if (tls.maxVersion !== undefined) options.maxVersion = version(tls.maxVersion)
  const cert = pem('cert', tls.certFile, tls.certPem)
  const key = pem('key', tls.keyFile, tls.keyPem)
  if (cert !== undefined) options.cert = cert
  if (key !== undefined) options.key = key
  // OpenSSL 3 speaks TLS 1.0 and 1.1 (their signatures use SHA-1) at security level 0 only.
  const old = tls.minVersion < '1.2' ? ':@SECLEVEL=0' : ''
  if (tls.cipherSuites.length > 0) options.ciphers = cipherList(tls.cipherSuites) + old
  else if (old !== '') options.ciphers = `DEFAULT${old}`
  if (tls.curvePreferences.length > 0) options.ecdhCurve = tls.curvePreferences.map((name) => CURVES[name]!).join(':')
  return options
}

/** Without a suite of TLS 1.3 in the list node:tls would switch TLS 1.3 off; Go's list has no say in those. */
function cipherList(names: readonly string[]): string {
  const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
  for (const name of names) {
    const suite = CIPHER_SUITES[name] ?? INSECURE_CIPHER_SUITES[name]!
    if (!suites.includes(suite)) suites.push(suite)
  }
  return suites.join(':')
}

const version = (name: string): SecureVersion =>
  `TLSv${name}` === 'TLSv1.0' ? 'TLSv1' : (`TLSv${name}` as SecureVersion)

function pem(kind: string, path: string | undefined, inline: Secret | undefined): Buffer | string | undefined {
  return path === undefined ? inline?.reveal() : readPem(`${kind}_file`, path)
}

/** OpenSSL takes a text without a certificate for no authorities at all, and then trusts nobody. */
function withCertificate<T extends Buffer | string | undefined>(key: string, text: T): T {
  if (text !== undefined && !text.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error(`tls ${key}: there is no certificate in it`)
  return text
}

/** Now rather than at the first connection, so that a mistake ends the start. */
function makeContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (cause) {
    throw new Error(`tls: the certificate, key or ciphers cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function readPem(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Error(`tls ${key}: cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** The system's authorities and those that Node brings along (a bare container has no system store). */
function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
}
