// The configuration of `basicauth` (Collector reference 5.3).

import { type Complain, type Decoded, object, secret, section, string } from '../../config/schema.ts'
import { readHtpasswd } from './htpasswd.ts'

const fields = {
  htpasswd: section(
    'htpasswd',
    object({
      file: string('file', { optional: true, doc: 'An htpasswd file, read again when it changes.' }),
      inline: secret('inline', {
        optional: true,
        doc: 'The lines of an htpasswd file, `name:password` with the password hashed or plain. They go before those of `file`.',
      }),
    }),
    { optional: 'none', doc: 'For listeners: who is let in.' },
  ),
  clientAuth: section(
    'client_auth',
    object({
      username: string('username', { optional: true, doc: 'The name that we send.' }),
      password: secret('password', { optional: true, doc: 'The password that we send.' }),
      usernameFile: string('username_file', {
        optional: true,
        doc: 'File with the name, read again when it changes. Goes before `username`.',
      }),
      passwordFile: string('password_file', {
        optional: true,
        doc: 'File with the password, read again when it changes. Goes before `password`.',
      }),
    }),
    { optional: 'none', doc: 'For clients: who we are.' },
  ),
}
export type BasicAuthConfig = Decoded<typeof fields>

export const config = object(fields, { check })
export type BasicClientConfig = NonNullable<BasicAuthConfig['clientAuth']>

function check({ htpasswd, clientAuth }: BasicAuthConfig, problem: Complain): void {
  if (htpasswd !== undefined && clientAuth !== undefined)
    problem(
      'client_auth',
      'htpasswd and client_auth are both given',
      'declare two: basicauth/server and basicauth/client',
    )
  if (htpasswd === undefined && clientAuth === undefined)
    problem('', 'neither htpasswd nor client_auth is given', 'write htpasswd: {file: PATH} to check who sends')
  if (htpasswd !== undefined) checkHtpasswd(htpasswd, problem)
  if (clientAuth !== undefined) checkClient(clientAuth, problem)
}

function checkHtpasswd(htpasswd: NonNullable<BasicAuthConfig['htpasswd']>, problem: Complain): void {
  const { file = '', inline } = htpasswd
  if (file === '' && (inline === undefined || inline.isEmpty))
    problem('htpasswd', 'neither file nor inline is given', 'write file: PATH')
  try {
    if (inline !== undefined) readHtpasswd(inline.reveal())
  } catch (error) {
    problem('htpasswd.inline', (error as Error).message, 'write name:HASH lines, as `htpasswd -nB name` prints them')
  }
}

function checkClient(client: BasicClientConfig, problem: Complain): void {
  const { username = '', usernameFile = '', password, passwordFile = '' } = client
  if (username === '' && usernameFile === '')
    problem('client_auth', 'there is no name', 'add username or username_file')
  if ((password === undefined || password.isEmpty) && passwordFile === '')
    problem('client_auth', 'there is no password', 'add password or password_file')
  // RFC 7617 2: the colon ends the name.
  if (username.includes(':')) problem('client_auth.username', 'a name cannot contain a colon', 'take another name')
}
