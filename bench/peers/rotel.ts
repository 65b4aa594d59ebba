// Rotel, a router in Rust (`pip install rotel`), for the harness. It has flags instead of a file, so this reads the case's
// file, writes them, and becomes it:
//
//   npm run bench -- --case passthrough,plant --sut "millrace,otelcol,rotel=node bench/peers/rotel.ts"
//
// Cases of OTLP with nothing in between, or with a batch and a queue, can be said to it. It answers when it has a request
// in memory, also where other programs wait for the answer of the next hop.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** What a case may have between the doors. A memory_limiter it has none of; a batch it has unless it is told not to. */
const PROCESSORS = ['memory_limiter', 'batch']

interface Otlp {
  readonly endpoint: string
  readonly compression: string
}

/** Of a configuration file's text. */
export function flagsOf(config: string): string[] {
  const { receivers, processors, exporters } = parse(config)
  const [[protocol, input]] = Object.entries(receivers.otlp.protocols) as [[string, Otlp]]
  const unknown = Object.keys(processors ?? {}).filter((name) => !PROCESSORS.includes(name))
  const [[type, output], ...others] = Object.entries(exporters) as [[string, Otlp]]
  if (unknown.length > 0 || others.length > 0 || !type.startsWith('otlp_') || output.compression === 'zstd')
    throw new Error(
      `rotel does not run this: ${[...unknown, ...Object.keys(exporters), output.compression].join(', ')}`,
    )
  const isGrpc = type === 'otlp_grpc'
  return [
    ...['--otlp-grpc-endpoint', protocol === 'grpc' ? input.endpoint : '127.0.0.1:0'],
    ...['--otlp-http-endpoint', protocol === 'http' ? input.endpoint : '127.0.0.1:0'],
    ...['--exporter', 'otlp', '--otlp-exporter-protocol', isGrpc ? 'grpc' : 'http'],
    ...['--otlp-exporter-endpoint', isGrpc ? `http://${output.endpoint}` : output.endpoint],
    ...['--otlp-exporter-compression', output.compression],
    // Other programs take 64 MiB or have no bound.
    ...['--otlp-grpc-max-recv-msg-size-mib', '64'],
    ...(processors === undefined ? ['--disable-batching'] : []),
  ]
}

/** The package of Python holds the program. */
function program(): string {
  if (process.env.ROTEL !== undefined) return process.env.ROTEL
  const find = 'import rotel, os; print(os.path.dirname(rotel.__file__))'
  const run = spawnSync('python3', ['-c', find], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error('rotel is not installed: pip install rotel, or say where it is by ROTEL=PATH')
  return join(run.stdout.trim(), 'rotel-agent')
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  try {
    const flags = args[0] === '--version' ? args : ['start', ...flagsOf(readFileSync(args.at(-1)!, 'utf8'))]
    const rotel = program()
    process.execve!(rotel, [rotel, ...flags])
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
