import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { certs } from '../../../test/support/certs.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { tlsClient, tlsServer } from './config.ts'
import { loadClientTls, loadServerTls } from './load.ts'

const OWN = { cert_file: certs.server.certFile, key_file: certs.server.keyFile }

/** What the client sees: the protocol and cipher agreed on, or the error code. */
async function shake(server: object, client: object, host = 'localhost'): Promise<string> {
  const listener = createServer(loadServerTls(parseConfig(tlsServer, server)), (socket) => {
    socket.on('error', () => {})
    socket.end('hello')
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const options = loadClientTls(parseConfig(tlsClient, client))
  try {
    return await new Promise((resolve) => {
      const socket: TLSSocket = connect({
        ...options,
        port,
        host: '127.0.0.1',
        servername: options?.servername ?? host,
      })
      let agreed = ''
      socket.once('secureConnect', () => {
        agreed = `${socket.getProtocol()} ${socket.getCipher().name}`
      })
      // TLS 1.3 tells a client without certificate only after its own handshake: wait for the first bytes.
      socket.once('data', () => resolve(agreed))
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      socket.once('close', () => resolve('closed'))
    })
  } finally {
    listener.close()
  }
}

test('a client that trusts the authority connects, by file and by text; one that does not is refused', async () => {
  assert.match(await shake(OWN, { ca_file: certs.caFile }), /^TLSv1\.3 /)
  const inline = { cert_pem: certs.server.cert, key_pem: certs.server.key }
  assert.match(await shake(inline, { ca_pem: certs.ca, include_system_ca_certs_pool: true }), /^TLSv1\.3 /)
  assert.match(await shake(OWN, {}), /UNABLE_TO|SELF_SIGNED/)
  assert.match(await shake(OWN, { insecure_skip_verify: true }), /^TLSv1\.3 /)
  // `insecure` has no effect beside an authority.
  assert.match(await shake(OWN, { insecure: true, ca_file: certs.caFile }), /^TLSv1\.3 /)
})

test("the certificate's name is checked against the host, or against server_name_override", async () => {
  assert.equal(await shake(OWN, { ca_file: certs.caFile }, 'elsewhere.test'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  const override = { ca_file: certs.caFile, server_name_override: 'millrace.test' }
  assert.match(await shake(OWN, override, 'elsewhere.test'), /^TLSv1\.3 /)
})

test('with client_ca_file only a client that its authority signed gets in', async () => {
  const server = { ...OWN, client_ca_file: certs.caFile }
  const known = { ca_file: certs.caFile, cert_file: certs.client.certFile, key_file: certs.client.keyFile }
  const stranger = { ca_file: certs.caFile, cert_file: certs.stranger.certFile, key_file: certs.stranger.keyFile }
  assert.match(await shake(server, known), /^TLSv1\.3 /)
  assert.doesNotMatch(await shake(server, stranger), /^TLS/)
  assert.doesNotMatch(await shake(server, { ca_file: certs.caFile }), /^TLS/)
})

test('versions and cipher suites are those that the section allows', async () => {
  const trusted = { ca_file: certs.caFile }
  const suite = ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256']
  assert.match(await shake({ ...OWN, max_version: '1.2' }, trusted), /^TLSv1\.2 /)
  assert.equal(
    await shake({ ...OWN, max_version: '1.2', cipher_suites: suite }, trusted),
    'TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305',
  )
  assert.match(await shake({ ...OWN, cipher_suites: suite }, trusted), /^TLSv1\.3 /)
  assert.match(
    await shake({ ...OWN, min_version: '1.0', max_version: '1.1' }, { ...trusted, min_version: '1.0' }),
    /^TLSv1\.1 /,
  )
  assert.doesNotMatch(await shake({ ...OWN, min_version: '1.3' }, { ...trusted, max_version: '1.2' }), /^TLS/)
  assert.match(await shake({ ...OWN, curve_preferences: ['P384'] }, trusted), /^TLSv1\.3 /)
})

test('insecure without an authority is no TLS at all, unless the endpoint says https', () => {
  const cfg = parseConfig(tlsClient, { insecure: true })
  assert.equal(loadClientTls(cfg), undefined)
  assert.notEqual(loadClientTls(cfg, true), undefined)
})

test('what is no certificate, and a key of another certificate, end the start and not the first connection', () => {
  const client = (plain: object) => () => loadClientTls(parseConfig(tlsClient, plain))
  assert.throws(client({ ca_pem: 'garbage' }), /tls ca_pem: there is no certificate/)
  assert.throws(client({ cert_pem: 'garbage', key_pem: 'garbage' }), /tls: the certificate, key/)
  assert.throws(
    client({ cert_file: certs.server.certFile, key_file: certs.client.keyFile }),
    /tls: the certificate, key/,
  )
  const server = (plain: object) => () => loadServerTls(parseConfig(tlsServer, { ...OWN, ...plain }))
  assert.throws(server({ client_ca_file: certs.server.keyFile }), /tls client_ca_file: there is no certificate/)
  assert.throws(server({ key_file: certs.client.keyFile }), /tls: the certificate, key/)
})

test('a section that contradicts itself is refused, each problem at its key', () => {
  const problems = (schema: typeof tlsServer | typeof tlsClient, plain: object): string => {
    try {
      parseConfig<unknown>(schema, plain)
      return ''
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return error.problems.map((problem) => `${problem.path}: ${problem.what}`).join('\n')
    }
  }
  assert.match(problems(tlsServer, {}), /^cert_file: a server with TLS needs/)
  assert.match(problems(tlsServer, { ...OWN, cert_pem: 'x' }), /^cert_pem: cert_file and cert_pem are both given/)
  assert.match(problems(tlsClient, { cert_file: 'x' }), /^cert_file: a certificate and its key belong together/)
  assert.match(problems(tlsServer, { ...OWN, min_version: '1.3', max_version: '1.2' }), /^max_version: 1.2 is older/)
  assert.match(problems(tlsServer, { ...OWN, cipher_suites: ['NONE'] }), /^cipher_suites: unknown cipher suite "NONE"/)
  const weak = { ...OWN, cipher_suites: ['TLS_RSA_WITH_AES_128_CBC_SHA'] }
  assert.match(problems(tlsServer, weak), /is weak/)
  assert.equal(problems(tlsServer, { ...weak, include_insecure_cipher_suites: true }), '')
  assert.match(problems(tlsServer, { ...OWN, curve_preferences: ['P1'] }), /^curve_preferences: unknown curve "P1"/)
  assert.match(problems(tlsServer, { ...OWN, tpm: { enabled: true } }), /^tpm: keys in a TPM/)
})

test('a file that cannot be read is an error that names key and file', () => {
  const cfg = parseConfig(tlsServer, { cert_file: '/nowhere/c.pem', key_file: '/nowhere/k.pem' })
  assert.throws(() => loadServerTls(cfg), /tls cert_file: cannot read \/nowhere\/c\.pem/)
})
