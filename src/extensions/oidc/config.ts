// The configuration of `oidc`, as the Collector has it: providers in a list, or one provider's keys at the top.

import { bool, type Complain, type Decoded, list, object, string } from '../../config/schema.ts'

const providerFields = {
  issuerUrl: string('issuer_url', {
    optional: true,
    doc: 'The issuer, to the letter as its tokens name it in `iss`; its keys are found through it.',
  }),
  audience: string('audience', { optional: true, doc: 'Whom tokens must be made for, as they name it in `aud`.' }),
  ignoreAudience: bool('ignore_audience', { default: false, doc: 'Take tokens that are made for anybody.' }),
  issuerCaPath: string('issuer_ca_path', {
    optional: true,
    doc: "PEM file with the authority of the issuer's certificate, instead of the system's.",
  }),
  usernameClaim: string('username_claim', {
    optional: true,
    doc: 'The claim that names the caller, instead of `sub`.',
  }),
  groupsClaim: string('groups_claim', { optional: true, doc: "The claim with the caller's groups." }),
  publicKeysFile: string('public_keys_file', {
    optional: true,
    doc: 'File with the keys (a JWK set), read again when it changes; the issuer is then never asked.',
  }),
}

const fields = {
  attribute: string('attribute', { default: 'authorization', doc: 'The header that carries the token.' }),
  providers: list('providers', object(providerFields), { default: [], doc: 'Whose tokens are taken.' }),
  ...providerFields,
}
export type OidcConfig = Decoded<typeof fields>
export type ProviderConfig = Decoded<typeof providerFields>

export const config = object(fields, { check })

/** With the path of each; the one at the top first. */
export function providersOf(value: OidcConfig): { path: string; provider: ProviderConfig }[] {
  const { providers, attribute: _, ...top } = value
  const isGiven = Object.values(top).some((one) => one !== undefined && one !== false && one !== '')
  const listed = providers.map((provider, at) => ({ path: `providers[${at}].`, provider }))
  return isGiven ? [{ path: '', provider: top }, ...listed] : listed
}

function check(value: OidcConfig, problem: Complain): void {
  const providers = providersOf(value)
  if (providers.length === 0)
    problem('', 'there is no provider', 'write providers: [{issuer_url: URL, audience: NAME}]')
  const seen = new Set<string>()
  for (const { path, provider } of providers) {
    const { issuerUrl = '', audience = '', ignoreAudience } = provider
    const where = `${path}issuer_url`
    const url = URL.canParse(issuerUrl) ? new URL(issuerUrl) : undefined
    if (issuerUrl === '') problem(where, 'there is no issuer', 'add issuer_url')
    else if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      problem(where, `"${issuerUrl}" is not an http or https URL`, 'write one, for example https://id.example.com')
    else if (seen.has(issuerUrl)) problem(where, `${issuerUrl} stands here twice`, 'remove one of them')
    seen.add(issuerUrl)
    if (audience === '' && !ignoreAudience)
      problem(`${path}audience`, 'there is no audience', 'add audience, or ignore_audience: true')
  }
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value.attribute))
    problem('attribute', `"${value.attribute}" is not the name of a header`, 'use letters, digits and `-`')
}
