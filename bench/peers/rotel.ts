// Rotel, a router in Rust (`pip install rotel`), for the harness. It has flags instead of a file, so this reads the case's
// file, writes them, and becomes it:
//
//   npm run bench -- --case passthrough,plant --sut "millrace,otelcol,rotel=node bench/peers/rotel.ts"
//
// It answers when it has a request in memory, and holds what comes back when the next hop is slow. Cases of OTLP with
// nothing in between, or with a batch and a queue, can be said to it.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** What such a case may have between the doors: the first has no counterpart, the second one is always there. */
const PROCESSORS = ['memory_limiter', 'batch']

interface Otlp {
  readonly endpoint: string
  readonly compression: string
}

function flagsOf(file: string): string[] {
  const { receivers, processors, exporters } = parse(readFileSync(file, 'utf8'))
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
const program = (): string =>
  process.env.ROTEL ??
  `${execFileSync('python3', ['-c', 'import rotel, os; print(os.path.dirname(rotel.__file__))'], {
    encoding: 'utf8',
  }).trim()}/rotel-agent`

const args = process.argv.slice(2)
const rotel = program()
process.execve!(rotel, [rotel, ...(args[0] === '--version' ? args : ['start', ...flagsOf(args.at(-1)!)])])
