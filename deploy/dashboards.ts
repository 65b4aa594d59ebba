// The dashboards of the stack, from which the files in compose/grafana/dashboards/ are written:
//
//   node deploy/dashboards.ts
//
// A panel is a title, a unit and its queries; they are laid out two in a row.

import { writeFileSync } from 'node:fs'

export interface Query {
  readonly source: 'prometheus' | 'influxdb'
  readonly text: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  /** A unit of Grafana's: `reqps`, `s`, `percentunit`, `celsius` ... */
  readonly unit: string
  readonly kind?: 'timeseries' | 'stat' | 'state-timeline'
  readonly queries: readonly Query[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
}

const prometheus = (text: string, legend = '{{device_id}}'): Query => ({ source: 'prometheus', text, legend })
const influx = (text: string): Query => ({ source: 'influxdb', text, legend: '$tag_device_id' })

const RATE = '[$__rate_interval]'
const DURATION = 'http_server_request_duration_seconds'
const quantile = (q: number): Query =>
  prometheus(
    `histogram_quantile(${q}, sum by (service_name, le) (rate(${DURATION}_bucket${RATE})))`,
    `{{service_name}} p${q * 100}`,
  )
const ofEachSignal = (what: string, by: string): Query[] =>
  ['spans', 'metric_points', 'log_records'].map((items) =>
    prometheus(`sum by (${by}) (rate(otelcol_${what}_${items}${RATE}))`, `{{${by}}} ${items}`),
  )

export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: 'millrace-services',
    title: 'Services',
    panels: [
      {
        title: 'Requests',
        unit: 'reqps',
        queries: [prometheus(`sum by (service_name) (rate(${DURATION}_count${RATE}))`, '{{service_name}}')],
      },
      { title: 'Duration', unit: 's', queries: [quantile(0.5), quantile(0.9), quantile(0.99)] },
      {
        title: 'Answers by status',
        unit: 'reqps',
        queries: [
          prometheus(
            `sum by (service_name, http_response_status_code) (rate(${DURATION}_count${RATE}))`,
            '{{service_name}} {{http_response_status_code}}',
          ),
        ],
      },
      {
        title: 'Requests under way',
        unit: 'short',
        queries: [prometheus('sum by (service_name) (http_server_active_requests)', '{{service_name}}')],
      },
    ],
  },
  {
    uid: 'millrace-plant',
    title: 'Plant',
    panels: [
      {
        title: 'Machines',
        unit: 'short',
        kind: 'state-timeline',
        queries: [prometheus('manufacturing_machine_status == 1', '{{device_id}} {{manufacturing_machine_state}}')],
      },
      {
        title: 'Devices that are heard',
        unit: 'short',
        kind: 'stat',
        queries: [prometheus('sum(manufacturing_device_up_ratio)', 'devices')],
      },
      {
        title: 'Good pieces a minute',
        unit: 'short',
        queries: [
          prometheus(
            `60 * sum by (device_id) (rate(part_count_total${RATE})) - 60 * sum by (device_id) (rate(reject_count_total${RATE}))`,
          ),
        ],
      },
      {
        title: 'Rejects',
        unit: 'percentunit',
        queries: [
          prometheus(
            `sum by (device_id) (rate(reject_count_total${RATE})) / sum by (device_id) (rate(part_count_total${RATE}))`,
          ),
        ],
      },
      { title: 'Temperature', unit: 'celsius', queries: [prometheus('temperature_celsius')] },
      { title: 'Vibration', unit: 'short', queries: [prometheus('vibration_mm_per_second')] },
      {
        title: 'Power',
        unit: 'kwatt',
        queries: [
          influx(
            `SELECT mean("value") FROM "device_metrics" WHERE "metric_name" = 'power' AND $timeFilter GROUP BY time($__interval), "device_id" fill(none)`,
          ),
        ],
      },
      {
        title: 'Energy of the meters',
        unit: 'kwatth',
        queries: [
          influx(
            `SELECT last("value") FROM "device_metrics" WHERE "metric_name" = 'energy' AND $timeFilter GROUP BY time($__interval), "device_id" fill(none)`,
          ),
        ],
      },
    ],
  },
  {
    uid: 'millrace-router',
    title: 'Millrace',
    panels: [
      {
        title: 'Received',
        unit: 'short',
        queries: ofEachSignal('receiver_accepted', 'receiver'),
      },
      {
        title: 'Sent',
        unit: 'short',
        queries: ofEachSignal('exporter_sent', 'exporter'),
      },
      {
        title: 'Queues',
        unit: 'percentunit',
        queries: [
          prometheus('otelcol_exporter_queue_size / otelcol_exporter_queue_capacity', '{{exporter}} {{data_type}}'),
        ],
      },
      {
        title: 'Stores that answer',
        unit: 'short',
        queries: [prometheus('otelcol_exporter_remote_healthy', '{{endpoint}}')],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [prometheus('otelcol_process_memory_rss', '{{instance}}')],
      },
      {
        title: 'Processor',
        unit: 'percentunit',
        queries: [prometheus(`rate(otelcol_process_cpu_seconds${RATE})`, '{{instance}}')],
      },
    ],
  },
]

const WIDTH = 12
const HEIGHT = 8

/** What Grafana reads from a file: the model of a dashboard, schema version 39. */
export function render({ uid, title, panels }: Dashboard): object {
  return {
    uid,
    title,
    tags: ['millrace'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    timezone: 'browser',
    templating: { list: [] },
    annotations: { list: [] },
    panels: panels.map((panel, i) => ({
      id: i + 1,
      title: panel.title,
      type: panel.kind ?? 'timeseries',
      datasource: { type: panel.queries[0]!.source, uid: panel.queries[0]!.source },
      gridPos: { x: (i % 2) * WIDTH, y: Math.floor(i / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
      fieldConfig: { defaults: { unit: panel.unit }, overrides: [] },
      options: {},
      targets: panel.queries.map((query, n) => target(query, String.fromCharCode(65 + n))),
    })),
  }
}

function target({ source, text, legend }: Query, refId: string): object {
  const datasource = { type: source, uid: source }
  if (source === 'prometheus') return { refId, datasource, expr: text, legendFormat: legend, exemplar: true }
  return { refId, datasource, rawQuery: true, query: text, alias: legend, resultFormat: 'time_series' }
}

export const fileOf = ({ uid }: Dashboard): URL =>
  new URL(`./compose/grafana/dashboards/${uid.replace('millrace-', '')}.json`, import.meta.url)

export const textOf = (dashboard: Dashboard): string => `${JSON.stringify(render(dashboard), null, 2)}\n`

if (import.meta.main) for (const dashboard of DASHBOARDS) writeFileSync(fileOf(dashboard), textOf(dashboard))
