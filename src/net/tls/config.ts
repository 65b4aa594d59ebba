// The keys of a `tls:` section, on the side that listens and on the side that connects (Collector reference 2.2).

import {
  bool,
  type Complain,
  choice,
  type Decoded,
  duration,
  group,
  type Infer,
  object,
  secret,
  string,
  strings,
} from '../../config/schema.ts'
import { CIPHER_SUITES, CURVES, INSECURE_CIPHER_SUITES } from './names.ts'

const versions = {
  '1.0': 'TLS 1.0, for devices that know no better.',
  '1.1': 'TLS 1.1, for devices that know no better.',
  '1.2': 'TLS 1.2.',
  '1.3': 'TLS 1.3.',
} as const

const tlsFields = {
  caFile: string('ca_file', { optional: true, doc: 'PEM file with the authorities that the peer is checked against.' }),
  caPem: secret('ca_pem', { optional: true, doc: 'The same as ca_file, written out.' }),
  includeSystemCaCertsPool: bool('include_system_ca_certs_pool', {
    default: false,
    doc: "Also trust the system's authorities when ca_file or ca_pem is given.",
  }),
  certFile: string('cert_file', { optional: true, doc: 'PEM file with our certificate and its chain.' }),
  certPem: secret('cert_pem', { optional: true, doc: 'The same as cert_file, written out.' }),
  keyFile: string('key_file', { optional: true, doc: 'PEM file with the private key of our certificate.' }),
  keyPem: secret('key_pem', { optional: true, doc: 'The same as key_file, written out.' }),
  minVersion: choice('min_version', { default: '1.2', of: versions, doc: 'The oldest version that is spoken.' }),
  maxVersion: choice('max_version', {
    optional: true,
    of: versions,
    doc: 'The newest version that is spoken; without it the newest there is.',
  }),
  cipherSuites: strings('cipher_suites', {
    default: [],
    doc: "Cipher suites for TLS 1.2 and older, by their IANA names; empty: the library's own choice. TLS 1.3 always has its own.",
  }),
  includeInsecureCipherSuites: bool('include_insecure_cipher_suites', {
    default: false,
    doc: 'Allow cipher suites that are known to be weak in cipher_suites.',
  }),
  curvePreferences: strings('curve_preferences', {
    default: [],
    doc: "Key exchange groups in order of preference: X25519MLKEM768, X25519, P256, P384, P521; empty: the library's own choice.",
  }),
  reloadIntervalMs: duration('reload_interval', {
    default: '0s',
    min: '0s',
    doc: 'How often certificate, key and ca_file are looked at; what has changed goes into new connections. 0: never.',
  }),
  tpm: group(
    'tpm',
    object({
      enabled: bool('enabled', { default: false, doc: 'Keep the key in a TPM: not possible here.' }),
      path: string('path', { default: '', doc: 'Path of the TPM device.' }),
      ownerAuth: secret('owner_auth', { optional: true, doc: 'Owner authorisation of the TPM.' }),
      auth: secret('auth', { optional: true, doc: 'Authorisation of the key.' }),
    }),
    { doc: 'Keys in a Trusted Platform Module. Understood, but only `enabled: false` can be honoured.' },
  ),
}

/** The keys of a server's `tls:` section. Prefer `tlsServer`, which also checks them against each other. */
export const tlsServerFields = {
  ...tlsFields,
  clientCaFile: string('client_ca_file', {
    optional: true,
    doc: 'PEM file with authorities; clients must then show a certificate that one of them signed.',
  }),
  clientCaFileReload: bool('client_ca_file_reload', {
    default: false,
    doc: 'Look at client_ca_file every second; what has changed is asked of new connections.',
  }),
}

/** The keys of a client's `tls:` section. Prefer `tlsClient`, which also checks them against each other. */
export const tlsClientFields = {
  ...tlsFields,
  insecure: bool('insecure', { default: false, doc: 'Speak without TLS. Has no effect when an authority is given.' }),
  insecureSkipVerify: bool('insecure_skip_verify', {
    default: false,
    doc: "Do not check the server's certificate.",
  }),
  serverNameOverride: string('server_name_override', {
    default: '',
    doc: "The name asked for and expected in the server's certificate, instead of the endpoint's host.",
  }),
}

type Common = Decoded<typeof tlsFields>

function checkCommon(tls: Common, problem: Complain): void {
  const pairs = [
    ['ca_file', tls.caFile, 'ca_pem', tls.caPem],
    ['cert_file', tls.certFile, 'cert_pem', tls.certPem],
    ['key_file', tls.keyFile, 'key_pem', tls.keyPem],
  ] as const
  for (const [file, path, inline, pem] of pairs)
    if (path !== undefined && pem !== undefined)
      problem(inline, `${file} and ${inline} are both given`, `keep one of ${file} and ${inline}`)
  if (hasCert(tls) !== hasKey(tls))
    problem(
      hasCert(tls)
        ? tls.certFile === undefined
          ? 'cert_pem'
          : 'cert_file'
        : tls.keyFile === undefined
          ? 'key_pem'
          : 'key_file',
      'a certificate and its key belong together, and one of them is missing',
      hasCert(tls) ? 'add key_file or key_pem' : 'add cert_file or cert_pem',
    )
  if (tls.maxVersion !== undefined && tls.maxVersion < tls.minVersion)
    problem(
      'max_version',
      `${tls.maxVersion} is older than min_version ${tls.minVersion}`,
      `write ${tls.minVersion} or newer`,
    )
  for (const name of tls.cipherSuites) {
    if (Object.hasOwn(CIPHER_SUITES, name)) continue
    if (!Object.hasOwn(INSECURE_CIPHER_SUITES, name))
      problem('cipher_suites', `unknown cipher suite "${name}"`, `use any of ${Object.keys(CIPHER_SUITES).join(', ')}`)
    else if (!tls.includeInsecureCipherSuites)
      problem('cipher_suites', `${name} is weak`, 'choose another, or set include_insecure_cipher_suites: true')
  }
  for (const name of tls.curvePreferences)
    if (!Object.hasOwn(CURVES, name))
      problem('curve_preferences', `unknown curve "${name}"`, `use any of ${Object.keys(CURVES).join(', ')}`)
  if (tls.tpm.enabled)
    problem('tpm', 'keys in a TPM cannot be used', 'give the key as key_file or key_pem and remove tpm')
}

const hasCert = (tls: Common): boolean => tls.certFile !== undefined || tls.certPem !== undefined
const hasKey = (tls: Common): boolean => tls.keyFile !== undefined || tls.keyPem !== undefined

/** For a section that has the keys of `tlsServerFields` beside others. */
export function checkTlsServer(tls: Decoded<typeof tlsServerFields>, problem: Complain): void {
  checkCommon(tls, problem)
  if (!hasCert(tls) && !hasKey(tls))
    problem(
      'cert_file',
      'a server with TLS needs a certificate and a key',
      'add cert_file and key_file, or remove the tls section',
    )
}

/** A server's `tls:` section. */
export const tlsServer = object(tlsServerFields, { check: checkTlsServer })
export type TlsServerConfig = Infer<typeof tlsServer>

/** A client's `tls:` section. */
export const tlsClient = object(tlsClientFields, { check: (tls, problem) => checkCommon(tls, problem) })
export type TlsClientConfig = Infer<typeof tlsClient>
