// The configuration of `oauth2client`, as the Collector has it, for the grant of client credentials (RFC 6749 4.4).

import {
  anyValue,
  type Complain,
  choice,
  type Decoded,
  duration,
  group,
  object,
  secret,
  string,
  strings,
  type YamlValue,
} from '../../config/schema.ts'
import { tlsClient } from '../../net/tls/config.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const fields = {
  tokenUrl: string('token_url', { required: true, doc: 'Where tokens are given: the URL of the token endpoint.' }),
  grantType: choice('grant_type', {
    default: 'client_credentials',
    of: { client_credentials: 'With our own id and secret.', [JWT_BEARER]: 'With a signed assertion. Not available.' },
    doc: 'How we ask for a token.',
  }),
  clientId: string('client_id', { optional: true, doc: 'Our id.' }),
  clientIdFile: string('client_id_file', {
    optional: true,
    doc: 'File with our id, read for each token. Goes before `client_id`.',
  }),
  clientSecret: secret('client_secret', { optional: true, doc: 'Our secret.' }),
  clientSecretFile: string('client_secret_file', {
    optional: true,
    doc: 'File with our secret, read for each token. Goes before `client_secret`.',
  }),
  endpointParams: anyValue('endpoint_params', {
    optional: true,
    doc: 'More parameters of the request for a token: a map of names to a value or a list of values.',
  }),
  scopes: strings('scopes', { default: [], doc: 'What we ask to be allowed to do.' }),
  timeoutMs: duration('timeout', { default: '0s', min: '0s', doc: 'Time for one request for a token; 0: 30s.' }),
  tls: group('tls', tlsClient, { doc: 'TLS to the token endpoint.' }),
  expiryBufferMs: duration('expiry_buffer', {
    default: '5m',
    min: '0s',
    doc: 'How long before its end a token is replaced; at most half of its life.',
  }),
}
export type OAuth2ClientConfig = Decoded<typeof fields>

export const config = object(fields, { check })

function check(value: OAuth2ClientConfig, problem: Complain): void {
  const { tokenUrl, grantType, clientId = '', clientIdFile = '', clientSecret, clientSecretFile = '' } = value
  const url = URL.canParse(tokenUrl) ? new URL(tokenUrl) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    problem(
      'token_url',
      `"${tokenUrl}" is not an http or https URL`,
      'write one, for example https://id.example.com/token',
    )
  if (grantType === JWT_BEARER)
    problem('grant_type', 'asking with a signed assertion is not available', 'write client_credentials')
  if (clientId === '' && clientIdFile === '') problem('client_id', 'there is no id', 'add client_id or client_id_file')
  if ((clientSecret === undefined || clientSecret.isEmpty) && clientSecretFile === '')
    problem('client_secret', 'there is no secret', 'add client_secret or client_secret_file')
  if (parametersOf(value.endpointParams) === undefined)
    problem('endpoint_params', 'it is no map of texts', 'write endpoint_params: {audience: NAME}')
}

/** Undefined when it is not what it should be. */
export function parametersOf(value: YamlValue | undefined): [name: string, value: string][] | undefined {
  if (value === undefined || value === null) return []
  if (typeof value !== 'object' || Array.isArray(value) || !isPlain(value)) return undefined
  const pairs: [string, string][] = []
  for (const [name, given] of Object.entries(value))
    for (const one of Array.isArray(given) ? given : [given]) {
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') return undefined
      pairs.push([name, String(one)])
    }
  return pairs
}

const isPlain = (value: object): value is { [key: string]: YamlValue } =>
  Object.getPrototypeOf(value) === Object.prototype
