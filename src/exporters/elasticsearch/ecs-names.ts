// Names of the Elastic Common Schema for attributes of OpenTelemetry's semantic conventions. contrib,
// exporter/elasticsearchexporter/internal/encoder/ecs/attributes.go and log/ecs.go; the schema itself: elastic.co, "ECS".

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { VALUE } from '../../otlp/value.ts'
import type { FlatFields } from './flat-fields.ts'
import type { SpecialAttributes } from './special-attributes.ts'

/** Empty: left out, because ecsSpecials() makes something else of it. */
const RESOURCE_NAMES: ReadonlyMap<string, string> = new Map([
  ['service.instance.id', 'service.node.name'],
  ['deployment.environment', 'service.environment'],
  ['deployment.environment.name', 'service.environment'],
  ['telemetry.sdk.name', ''],
  ['telemetry.sdk.language', ''],
  ['telemetry.sdk.version', ''],
  ['telemetry.distro.name', ''],
  ['telemetry.distro.version', ''],
  ['cloud.platform', 'cloud.service.name'],
  ['container.image.tags', 'container.image.tag'],
  ['host.name', 'host.hostname'],
  ['host.arch', 'host.architecture'],
  ['process.executable.path', 'process.executable'],
  ['process.runtime.name', 'service.runtime.name'],
  ['process.runtime.version', 'service.runtime.version'],
  ['os.name', 'host.os.name'],
  ['os.type', 'host.os.platform'],
  ['os.description', 'host.os.full'],
  ['os.version', 'host.os.version'],
  ['k8s.deployment.name', 'kubernetes.deployment.name'],
  ['k8s.namespace.name', 'kubernetes.namespace'],
  ['k8s.node.name', 'kubernetes.node.name'],
  ['k8s.pod.name', 'kubernetes.pod.name'],
  ['k8s.pod.uid', 'kubernetes.pod.uid'],
  ['k8s.job.name', 'kubernetes.job.name'],
  ['k8s.cronjob.name', 'kubernetes.cronjob.name'],
  ['k8s.statefulset.name', 'kubernetes.statefulset.name'],
  ['k8s.replicaset.name', 'kubernetes.replicaset.name'],
  ['k8s.daemonset.name', 'kubernetes.daemonset.name'],
  ['k8s.container.name', 'kubernetes.container.name'],
  ['k8s.cluster.name', 'orchestrator.cluster.name'],
])

/** They stand under their own name as well. */
const PRESERVED = new Set(['host.name'])

export const LOG_NAMES: ReadonlyMap<string, string> = new Map([
  ['event.name', 'event.action'],
  ['exception.message', 'error.message'],
  ['exception.stacktrace', 'error.stack_trace'],
  ['exception.type', 'error.type'],
  ['exception.escaped', 'event.error.exception.handled'],
])

export const SPAN_NAMES: ReadonlyMap<string, string> = new Map([
  ['messaging.destination.name', 'span.message.queue.name'],
  ['messaging.operation.name', 'span.action'],
  ['db.system', 'span.db.type'],
  ['db.namespace', 'span.db.instance'],
  ['db.query.text', 'span.db.statement'],
  ['http.response.body.size', 'http.response.encoded_body_size'],
])

const OS_TYPES: ReadonlyMap<string, string> = new Map([
  ['windows', 'windows'],
  ['linux', 'linux'],
  ['darwin', 'macos'],
  ['aix', 'unix'],
  ['hpux', 'unix'],
  ['solaris', 'unix'],
])
const OS_NAMES: ReadonlyMap<string, string> = new Map([
  ['Android', 'android'],
  ['iOS', 'ios'],
])

export function ecsResource(fields: FlatFields, map: AttributeMap, special: SpecialAttributes): void {
  for (let i = 0; i < map.count; i++) {
    if (special.isHidden(i)) continue
    const key = map.keyText(i)
    const name = RESOURCE_NAMES.get(key)
    if (name === '') continue
    const source = map.source(i)
    if (name !== undefined) fields.value(name, source, map.valueStart(i), map.valueEnd(i))
    if (name === undefined || PRESERVED.has(key))
      fields.keyValue('', source, map.keyStart(i), map.keyEnd(i), map.valueStart(i), map.valueEnd(i))
  }
}

const SDK_NAME = encodeText('telemetry.sdk.name')
const SDK_LANGUAGE = encodeText('telemetry.sdk.language')
const SDK_VERSION = encodeText('telemetry.sdk.version')
const DISTRO_NAME = encodeText('telemetry.distro.name')
const DISTRO_VERSION = encodeText('telemetry.distro.version')
const OS_TYPE = encodeText('os.type')
const OS_NAME = encodeText('os.name')

/** What several attributes of the resource make together: agent.name, agent.version, host.os.type. */
export function ecsSpecials(fields: FlatFields, resource: AttributeMap): void {
  const distro = textOf(resource, DISTRO_NAME)
  const language = textOf(resource, SDK_LANGUAGE) || (distro === '' ? '' : 'unknown')
  const parts = [textOf(resource, SDK_NAME) || 'otlp', language, distro]
  fields.string('agent.name', parts.filter((part) => part !== '').join('/'))
  fields.string('agent.version', textOf(resource, DISTRO_VERSION) || textOf(resource, SDK_VERSION))
  fields.string(
    'host.os.type',
    OS_NAMES.get(textOf(resource, OS_NAME)) ?? OS_TYPES.get(textOf(resource, OS_TYPE)) ?? '',
  )
}

function textOf(map: AttributeMap, key: Uint8Array): string {
  const at = map.find(key)
  if (at < 0) return ''
  const value = map.value(at)
  return value.type === VALUE.STRING ? value.toText() : ''
}
