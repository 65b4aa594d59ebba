// The configuration of `bearertokenauth` (Collector reference 5.3).

import { type Complain, type Decoded, list, object, secret, string } from '../../config/schema.ts'

const fields = {
  scheme: string('scheme', { default: 'Bearer', doc: 'What stands before the token; empty: the token alone.' }),
  token: secret('token', { optional: true, doc: 'The token.' }),
  tokens: list('tokens', secret.of(), {
    default: [],
    doc: 'Several tokens instead: a listener takes any of them, a client sends the first.',
  }),
  filename: string('filename', {
    optional: true,
    doc: 'File with a token a line, read again when it changes. Goes before `token` and `tokens`.',
  }),
  header: string('header', { default: 'Authorization', doc: 'The header that carries it.' }),
}
export type BearerTokenAuthConfig = Decoded<typeof fields>

export const config = object(fields, { check })

function check(value: BearerTokenAuthConfig, problem: Complain): void {
  const { token, tokens, filename = '', header, scheme } = value
  const hasToken = token !== undefined && !token.isEmpty
  if (!hasToken && tokens.length === 0 && filename === '')
    problem('', 'no bearer token is given', 'write filename: PATH, or token: "${env:TOKEN}"')
  if (hasToken && tokens.length > 0)
    problem('tokens', 'token and tokens are both given', 'write all of them below tokens, and remove token')
  if (tokens.some((one) => one.isEmpty)) problem('tokens', 'one of the tokens is empty', 'remove it')
  const all = hasToken ? [token, ...tokens] : tokens
  if (all.some((one) => !isHeaderText(one.reveal())))
    problem(
      tokens.length > 0 ? 'tokens' : 'token',
      'a token cannot stand in a header',
      'write it on one line, in ASCII',
    )
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header))
    problem('header', `"${header}" is not the name of a header`, 'use letters, digits and `-`')
  if (!isHeaderText(scheme)) problem('scheme', 'it cannot stand in a header', 'write a word, for example Bearer')
}

/** RFC 9110 5.5, without what few servers understand. */
export const isHeaderText = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
