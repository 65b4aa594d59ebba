// Names of the Elastic Common Schema for attributes of OpenTelemetry's semantic conventions. contrib,
// exporter/elasticsearchexporter/model.go; the schema itself: elastic.co, "ECS".

import { encodeText } from '../../otlp/encode.ts'

/** Empty: it is left out. */
type Names = Readonly<Record<string, string>>

const RESOURCE: Names = {
  'service.instance.id': 'service.node.name',
  'deployment.environment': 'service.environment',
  'deployment.environment.name': 'service.environment',
  'telemetry.sdk.name': '',
  'telemetry.sdk.language': 'service.language.name',
  'telemetry.sdk.version': 'service.language.version',
  'telemetry.distro.name': '',
  'telemetry.distro.version': '',
  'cloud.platform': 'cloud.service.name',
  'container.image.tags': 'container.image.tag',
  'host.name': 'host.hostname',
  'host.arch': 'host.architecture',
  'process.parent_pid': 'process.parent.pid',
  'process.executable.name': 'process.title',
  'process.executable.path': 'process.executable',
  'process.command_line': 'process.args',
  'process.runtime.name': 'service.runtime.name',
  'process.runtime.version': 'service.runtime.version',
  'os.name': 'host.os.name',
  'os.type': 'host.os.platform',
  'os.description': 'host.os.full',
  'os.version': 'host.os.version',
  'client.address': 'client.ip',
  'source.address': 'source.ip',
  'k8s.deployment.name': 'kubernetes.deployment.name',
  'k8s.namespace.name': 'kubernetes.namespace',
  'k8s.node.name': 'kubernetes.node.name',
  'k8s.pod.name': 'kubernetes.pod.name',
  'k8s.pod.uid': 'kubernetes.pod.uid',
  'k8s.job.name': 'kubernetes.job.name',
  'k8s.cronjob.name': 'kubernetes.cronjob.name',
  'k8s.statefulset.name': 'kubernetes.statefulset.name',
  'k8s.replicaset.name': 'kubernetes.replicaset.name',
  'k8s.daemonset.name': 'kubernetes.daemonset.name',
  'k8s.container.name': 'kubernetes.container.name',
  'k8s.cluster.name': 'orchestrator.cluster.name',
  'faas.instance': 'faas.id',
  'faas.trigger': 'faas.trigger.type',
}

const LOG: Names = {
  'event.name': 'event.action',
  'exception.message': 'error.message',
  'exception.stacktrace': 'error.stacktrace',
  'exception.type': 'error.type',
  'exception.escaped': 'event.error.exception.handled',
  'http.response.body.size': 'http.response.encoded_body_size',
}

const SPAN: Names = {
  'db.system': 'span.db.type',
  'db.namespace': 'span.db.instance',
  'db.query.text': 'span.db.statement',
  'http.response.body.size': 'http.response.encoded_body_size',
}

const EVENT: Names = {
  'exception.type': 'error.exception.type',
  'exception.message': 'error.exception.message',
  'exception.stacktrace': 'error.stack_trace',
  'exception.escaped': '',
  // Elasticsearch's own stream of errors computes it.
  'error.grouping_name': '',
}

/** A name of the schema for an attribute with that key. */
export interface EcsName {
  readonly key: Uint8Array
  readonly name: string
}

const list = (names: Names): readonly EcsName[] =>
  Object.entries(names).map(([key, name]) => ({ key: encodeText(key), name }))

export const ECS_NAMES = { resource: list(RESOURCE), logs: list(LOG), traces: list(SPAN), events: list(EVENT) } as const

const targets = (...all: readonly Names[]): ReadonlySet<string> =>
  new Set(all.flatMap((names) => Object.values(names)).filter((name) => name !== ''))

/** Names that are a value in the schema, and stay one whatever attributes continue them. */
export const ECS_VALUES = {
  logs: targets(RESOURCE, LOG),
  traces: targets(RESOURCE, SPAN),
  events: targets(RESOURCE, EVENT),
  metrics: targets(RESOURCE),
} as const
