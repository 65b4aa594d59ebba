// `verbosity: detailed`: every field of everything, in the Collector's layout (reference 4.3).

import type { Signal } from '../../otlp/signal.ts'
import { dataPoints } from './detailed-metrics.ts'
import { dictionary, profile } from './detailed-profiles.ts'
import { timestamp, typedValue } from './go-text.ts'
import { attributes, column, type Lines } from './lines.ts'
import type { Message } from './message.ts'

export function detailedText(signal: Signal, request: Message): string {
  const lines: Lines = []
  const { resources, resource, scopes, scope, items, item } = LAYOUT[signal]
  if (signal === 'profiles') dictionary(lines, request.child('dictionary'))
  request.children(resources).forEach((entry, i) => {
    lines.push(`${resource} #${i}`, `Resource SchemaURL: ${entry.text('schemaUrl')}`)
    attributes(lines, 'Resource attributes', entry.child('resource'))
    entityRefs(lines, entry.child('resource'))
    entry.children(scopes).forEach((inner, j) => {
      lines.push(`${scope} #${j}`, `${scope} SchemaURL: ${inner.text('schemaUrl')}`)
      const { name, version } = {
        name: inner.child('scope').text('name'),
        version: inner.child('scope').text('version'),
      }
      lines.push(`InstrumentationScope ${name} ${version}`)
      attributes(lines, 'InstrumentationScope attributes', inner.child('scope'))
      inner.children(items).forEach((each, k) => {
        item(lines, each, k, request)
      })
    })
  })
  return lines.map((line) => `${line}\n`).join('')
}

interface Layout {
  readonly resources: string
  readonly resource: string
  readonly scopes: string
  readonly scope: string
  readonly items: string
  item(lines: Lines, item: Message, number: number, request: Message): void
}

const LAYOUT: Readonly<Record<Signal, Layout>> = {
  traces: {
    resources: 'resourceSpans',
    resource: 'ResourceSpans',
    scopes: 'scopeSpans',
    scope: 'ScopeSpans',
    items: 'spans',
    item: span,
  },
  metrics: {
    resources: 'resourceMetrics',
    resource: 'ResourceMetrics',
    scopes: 'scopeMetrics',
    scope: 'ScopeMetrics',
    items: 'metrics',
    item: metric,
  },
  logs: {
    resources: 'resourceLogs',
    resource: 'ResourceLog',
    scopes: 'scopeLogs',
    scope: 'ScopeLogs',
    items: 'logRecords',
    item: logRecord,
  },
  profiles: {
    resources: 'resourceProfiles',
    resource: 'ResourceProfiles',
    scopes: 'scopeProfiles',
    scope: 'ScopeProfiles',
    items: 'profiles',
    item: (lines, each, number, request) => profile(lines, each, number, request.child('dictionary')),
  },
}

function entityRefs(lines: Lines, resource: Message): void {
  const refs = resource.children('entityRefs')
  if (refs.length === 0) return
  lines.push('Resource entity refs:')
  refs.forEach((ref, i) => {
    lines.push(`     -> Entity ref #${i}:`, `          -> Type: ${ref.text('type')}`)
    if (ref.has('schemaUrl')) lines.push(`          -> Schema URL: ${ref.text('schemaUrl')}`)
    keys(lines, 'ID keys', ref.texts('idKeys'))
    keys(lines, 'Description keys', ref.texts('descriptionKeys'))
  })
}

function keys(lines: Lines, header: string, names: readonly string[]): void {
  if (names.length === 0) return
  lines.push(`          -> ${header}:`, ...names.map((name) => `               -> ${name}`))
}

const SPAN_KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const STATUS_CODES = ['Unset', 'Ok', 'Error']

function span(lines: Lines, span: Message, number: number): void {
  const status = span.child('status')
  lines.push(
    `Span #${number}`,
    column('Trace ID', span.text('traceId')),
    column('Parent ID', span.text('parentSpanId')),
    column('ID', span.text('spanId')),
    column('Name', span.text('name')),
    column('Kind', SPAN_KINDS[span.number('kind')] ?? ''),
    ...(span.has('traceState') ? [column('TraceState', span.text('traceState'))] : []),
    column('Start time', timestamp(span.digits('startTimeUnixNano'))),
    column('End time', timestamp(span.digits('endTimeUnixNano'))),
    column('Status code', STATUS_CODES[status.number('code')] ?? ''),
    column('Status message', status.text('message')),
    column('DroppedAttributesCount', String(span.number('droppedAttributesCount'))),
    column('DroppedEventsCount', String(span.number('droppedEventsCount'))),
    column('DroppedLinksCount', String(span.number('droppedLinksCount'))),
  )
  attributes(lines, 'Attributes', span)
  const events = span.children('events')
  if (events.length > 0) lines.push('Events:')
  events.forEach((event, i) => {
    lines.push(
      `SpanEvent #${i}`,
      `     -> Name: ${event.text('name')}`,
      `     -> Timestamp: ${timestamp(event.digits('timeUnixNano'))}`,
      `     -> DroppedAttributesCount: ${event.number('droppedAttributesCount')}`,
    )
    attributes(lines, '     -> Attributes:', event)
  })
  const links = span.children('links')
  if (links.length > 0) lines.push('Links:')
  links.forEach((link, i) => {
    lines.push(
      `SpanLink #${i}`,
      `     -> Trace ID: ${link.text('traceId')}`,
      `     -> ID: ${link.text('spanId')}`,
      `     -> TraceState: ${link.text('traceState')}`,
      `     -> DroppedAttributesCount: ${link.number('droppedAttributesCount')}`,
    )
    attributes(lines, '     -> Attributes:', link)
  })
}

const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Fatal']

/** `Info(9)`, `Info2(10)`: four numbers a name, the first of them bare. */
function severity(number: number): string {
  if (number === 0) return 'Unspecified'
  const name = SEVERITIES[Math.floor((number - 1) / 4)]
  if (name === undefined || number < 0) return ''
  const step = (number - 1) % 4
  return step === 0 ? name : `${name}${step + 1}`
}

function logRecord(lines: Lines, record: Message, number: number): void {
  const severityNumber = record.number('severityNumber')
  lines.push(
    `LogRecord #${number}`,
    `ObservedTimestamp: ${timestamp(record.digits('observedTimeUnixNano'))}`,
    `Timestamp: ${timestamp(record.digits('timeUnixNano'))}`,
    `SeverityText: ${record.text('severityText')}`,
    `SeverityNumber: ${severity(severityNumber)}(${severityNumber})`,
    ...(record.has('eventName') ? [`EventName: ${record.text('eventName')}`] : []),
    `Body: ${typedValue(record.child('body'))}`,
  )
  attributes(lines, 'Attributes', record)
  lines.push(
    `Trace ID: ${record.text('traceId')}`,
    `Span ID: ${record.text('spanId')}`,
    `Flags: ${record.number('flags')}`,
  )
}

function metric(lines: Lines, metric: Message, number: number): void {
  lines.push(`Metric #${number}`)
  dataPoints(lines, metric)
}
