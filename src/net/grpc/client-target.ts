// Where a gRPC client connects to: the endpoint's forms (Collector reference 4.1; grpc/grpc, doc/naming.md).
//
//   host:port   http://host:port   https://host:port   dns:///host:port   dns://resolver/host:port
//   passthrough:///host:port   unix:///absolute/path   unix:path

import { isIP } from 'node:net'

export interface Target {
  readonly kind: 'dns' | 'passthrough' | 'unix'
  /** Without brackets; empty for a unix socket. */
  readonly host: string
  readonly port: number
  /** The DNS server to ask, `address` or `address:port`; empty: the system's resolver. */
  readonly resolver: string
  /** Of the unix socket. */
  readonly path: string
  /** What `:authority` says when nothing else is configured. */
  readonly authority: string
  /** The endpoint began with https://, which asks for TLS whatever else is set. */
  readonly forcesTls: boolean
}

const LARGEST_PORT = 65_535

/** Throws an Error that says what is wrong with the endpoint. */
export function parseTarget(endpoint: string): Target {
  if (endpoint.startsWith('unix:')) {
    const path = endpoint.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (path === '' || path.startsWith('//')) throw new Error('a unix socket needs a path, as in unix:///run/otlp.sock')
    return { kind: 'unix', host: '', port: 0, resolver: '', path, authority: 'localhost', forcesTls: false }
  }
  const [, scheme = '', rest = ''] =
    /^(http:\/\/|https:\/\/|dns:\/\/[^/]*\/|dns:|passthrough:\/\/[^/]*\/|passthrough:)?(.*)$/.exec(endpoint)!
  const { host, port } = splitHostPort(rest)
  const named = isIP(host) === 0 && !scheme.startsWith('passthrough')
  return {
    kind: named ? 'dns' : 'passthrough',
    host,
    port,
    resolver: named ? findResolver(scheme) : '',
    path: '',
    authority: rest,
    forcesTls: scheme === 'https://',
  }
}

/** The authority of dns://authority/name: a DNS server, which must be there by its address. */
function findResolver(scheme: string): string {
  const server = /^dns:\/\/([^/]+)\//.exec(scheme)?.[1] ?? ''
  const address = /^\[(.+)\](?::\d+)?$/.exec(server)?.[1] ?? server.replace(/:\d+$/, '')
  if (server !== '' && isIP(address) === 0 && isIP(server) === 0)
    throw new Error(`the DNS server "${server}" is no IP address, as in dns://10.0.0.53/backend.plant.example:4317`)
  return server
}

function splitHostPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):([^:]*)$/.exec(text)
  if (match === null) {
    if (text.includes(':') && !text.includes('[')) throw new Error('an IPv6 address needs brackets, as in [::1]:4317')
    throw new Error('the port is missing, as in localhost:4317')
  }
  const port = Number(match[3])
  if (!/^\d+$/.test(match[3]!) || port === 0 || port > LARGEST_PORT) throw new Error(`"${match[3]}" is not a port`)
  // As Go dials it, no host means this machine.
  return { host: match[1] ?? (match[2] === '' ? 'localhost' : match[2]!), port }
}
