// Where lines are written to, in the words of each version of the server.
//
//   v1  POST /write?db=&rp=&precision=        Basic authentication    n, u, ms, s
//   v2  POST /api/v2/write?org=&bucket=&...   Token                   ns, us, ms, s
//   v3  POST /api/v3/write_lp?db=&...         Bearer                  nanosecond ... second
//
// (https://docs.influxdata.com: influxdb/v1/tools/api, influxdb/v2/api, influxdb3/core/api.)

import type { InfluxConfig } from './config.ts'

const V1_PRECISION = { ns: 'ns', us: 'u', ms: 'ms', s: 's' } as const
const V3_PRECISION = { ns: 'nanosecond', us: 'microsecond', ms: 'millisecond', s: 'second' } as const

export function writeUrl(config: InfluxConfig): URL {
  const { v1, v3, precision } = config
  const url = new URL(config.endpoint)
  const hasPath = url.pathname !== '' && url.pathname !== '/'
  const query = url.searchParams
  if (v1.enabled) {
    if (!hasPath) url.pathname = '/write'
    query.set('db', v1.db)
    if (v1.retentionPolicy !== '') query.set('rp', v1.retentionPolicy)
    query.set('precision', V1_PRECISION[precision])
  } else if (v3.enabled) {
    if (!hasPath) url.pathname = '/api/v3/write_lp'
    query.set('db', v3.db)
    query.set('precision', V3_PRECISION[precision])
    query.set('accept_partial', 'true')
    if (v3.noSync) query.set('no_sync', 'true')
  } else {
    if (!hasPath) url.pathname = '/api/v2/write'
    query.set('org', config.org)
    query.set('bucket', config.bucket)
    query.set('precision', precision)
  }
  return url
}

/** Names in lower case. */
export function writeHeaders({ v1, v3, token }: InfluxConfig): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' }
  if (v1.enabled) {
    const password = v1.password?.reveal() ?? ''
    if (v1.username !== '' && password !== '')
      headers.authorization = `Basic ${Buffer.from(`${v1.username}:${password}`).toString('base64')}`
  } else if (token !== undefined && token.reveal() !== '')
    headers.authorization = `${v3.enabled ? 'Bearer' : 'Token'} ${token.reveal()}`
  return headers
}

/** InfluxDB 1: the request that creates the database; it changes nothing where there is one. */
export function createDatabaseUrl({ endpoint, v1 }: InfluxConfig): URL {
  const url = new URL('/query', endpoint)
  const duration = v1.retentionDuration === '' ? '' : ` DURATION ${v1.retentionDuration}`
  const name = v1.retentionPolicy === '' ? '' : ` NAME ${quoted(v1.retentionPolicy)}`
  const policy = duration + name
  url.searchParams.set('q', `CREATE DATABASE ${quoted(v1.db)}${policy === '' ? '' : ` WITH${policy}`}`)
  return url
}

const quoted = (name: string): string => `"${name.replaceAll(/["\\]/g, '\\$&')}"`
