// A component that names an extension: what `validate` says when it is not there, does not run, or cannot do it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProblem } from '../../src/config/problem.ts'
import { retrieverOf } from '../../src/config/sources.ts'
import { loadConfiguration } from '../../src/graph/configuration.ts'

async function said(yaml: string): Promise<string> {
  const { problems } = await loadConfiguration({ configs: [`yaml:${yaml}`], sets: [] }, retrieverOf({ env: {} }))
  return problems.map(formatProblem).join('\n')
}

const file = (extensions: string, running: string, exporter: string, receiver = ''): string => `
extensions: { ${extensions} }
receivers: { otlp: { protocols: { grpc: { ${receiver} } } } }
exporters:
  otlp_grpc: { endpoint: "a:1", auth: { authenticator: ${exporter} } }
service:
  extensions: [${running}]
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_grpc] } }
`
const TOKEN = 'bearertokenauth: { token: x }'

test('an extension that is declared, runs, and can do it is no problem', async () => {
  assert.equal(await said(file(TOKEN, 'bearertokenauth', 'bearertokenauth')), '')
  const own = 'auth: { authenticator: basic_auth/1 }'
  const basic = 'basic_auth/1: { htpasswd: { inline: "a:b" } }'
  assert.equal(await said(file(`${TOKEN}, ${basic}`, 'bearertokenauth, basic_auth/1', 'bearertokenauth', own)), '')
})

test('one that is not declared is named with its place and the nearest that is', async () => {
  assert.match(
    await said(file(TOKEN, 'bearertokenauth', 'bearertokenaut')),
    /:5:56: CONFIG_UNDECLARED exporters\.otlp_grpc\.auth\.authenticator: the extension bearertokenaut is not declared\n.*\n.*\n {2}fix: write bearertokenauth, or declare bearertokenaut/,
  )
})

test('one that is declared and not run by the service is told to be added there', async () => {
  assert.match(
    await said(file(`${TOKEN}, zpages: {}`, 'zpages', 'bearertokenauth')),
    /the extension bearertokenauth is declared but does not run\n.*\n.*\n {2}fix: add bearertokenauth to service\.extensions/,
  )
})

test('one of another kind, or of the other side, is told what could stand there', async () => {
  assert.match(
    await said(file(`${TOKEN}, zpages: {}`, 'zpages, bearertokenauth', 'zpages')),
    /CONFIG_WRONG_EXTENSION .*: the extension zpages cannot be used as an authenticator of a client, .*\n.*\n.*\n {2}fix: write bearertokenauth/,
  )
  assert.match(
    await said(file('basicauth: { htpasswd: { inline: "a:b" } }', 'basicauth', 'basicauth')),
    /the extension basicauth cannot be used as an authenticator of a client/,
  )
  const own = 'auth: { authenticator: headers_setter }'
  const setter = 'headers_setter: { headers: [{ key: a, value: b }] }'
  assert.match(
    await said(file(setter, 'headers_setter', 'headers_setter', own)),
    /receivers\.otlp\.protocols\.grpc\.auth\.authenticator: the extension headers_setter cannot be used as an authenticator of a server/,
  )
})

test('extensions name each other too, and what no pipeline uses may name what it wants', async () => {
  const setter = 'headers_setter: { additional_auth: nobody, headers: [{ key: a, value: b }] }'
  assert.match(
    await said(file(setter, 'headers_setter', 'headers_setter')),
    /extensions\.headers_setter\.additional_auth/,
  )
  const unused = file(TOKEN, 'bearertokenauth', 'bearertokenauth').replace(
    'exporters:\n',
    'exporters:\n  otlp_http: { endpoint: "http://a:1", auth: { authenticator: nobody } }\n',
  )
  assert.equal(await said(unused), '')
})
