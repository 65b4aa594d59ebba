// Metrics of machines whose series stay the same from request to request, as those of a plant do.

import { jsonToBytes } from '../../src/otlp/json/index.ts'

/** Series of one metric. */
const PER_METRIC = 10
// Any fixed moment will do: 2026-01-01.
const AT_NANOS = '1767225600000000000'

const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } })

/**
 * Requests that together have a point of each series: gauges with four attributes and values of three decimals, others for
 * each `turn`.
 */
export function seriesRequests(series: number, pointsPerRequest: number, turn = 0): Uint8Array<ArrayBuffer>[] {
  const resource = { attributes: [attribute('service.name', 'plant'), attribute('service.instance.id', 'hall-2')] }
  const point = (n: number): object => ({
    timeUnixNano: AT_NANOS,
    asDouble: ((n * 7919 + turn * 31_337) % 100_000) / 1000,
    attributes: [
      attribute('machine', `press-${n % 100}`),
      attribute('line', `line-${n % 7}`),
      attribute('sensor.id', `sensor-${n}`),
      attribute('unit.state', n % 3 === 0 ? 'idle' : 'running'),
    ],
  })
  return Array.from({ length: Math.ceil(series / pointsPerRequest) }, (_, request) => {
    const metrics = Array.from({ length: Math.ceil(pointsPerRequest / PER_METRIC) }, (__, metric) => ({
      name: `machine.reading.${metric}`,
      unit: 'Cel',
      gauge: {
        dataPoints: Array.from({ length: PER_METRIC }, (___, n) =>
          point(request * pointsPerRequest + metric * PER_METRIC + n),
        ),
      },
    }))
    const scopeMetrics = [{ scope: { name: 'plc', version: '1' }, metrics }]
    return jsonToBytes('metrics', JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] }))
  })
}
