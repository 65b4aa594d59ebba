// Certificates for tests, made once and valid for a hundred years: an authority, a server (localhost, millrace.test,
// 127.0.0.1, ::1), a client that the authority signed, and a stranger whom another authority signed.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (name: string): string => fileURLToPath(new URL(`./certs/${name}`, import.meta.url))
const pair = (name: string) => ({
  certFile: path(`${name}.pem`),
  keyFile: path(`${name}.key.pem`),
  cert: readFileSync(path(`${name}.pem`), 'utf8'),
  key: readFileSync(path(`${name}.key.pem`), 'utf8'),
})

export const certs = {
  caFile: path('ca.pem'),
  ca: readFileSync(path('ca.pem'), 'utf8'),
  server: pair('server'),
  client: pair('client'),
  stranger: pair('stranger'),
}
