// `millrace send`: generated telemetry to a router, progress on standard error, totals on standard output.

import { systemClock } from '../graph/clock.ts'
import { readSendOptions, SEND_HELP, type SendOptions, SendUsageError } from './options.ts'
import { exitCodeOf, Sending, type SendTotals } from './sending.ts'
import { openTransport } from './transport.ts'

const USAGE = 2

/** Resolves to the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let options: SendOptions | undefined
  try {
    options = readSendOptions(argv, Math.floor(Math.random() * 2 ** 32))
  } catch (error) {
    if (!(error instanceof SendUsageError)) throw error
    process.stderr.write(`Error: ${error.message}\nmillrace send --help lists the flags.\n`)
    return USAGE
  }
  if (options === undefined) {
    process.stdout.write(SEND_HELP)
    return 0
  }
  const transport = await openTransport(options)
  const sending = new Sending(options, transport, systemClock)
  const fromMs = systemClock.monotonic()
  // These keep the process alive, which the clock's own timers do not.
  const progress = setInterval(() => {
    process.stderr.write(`${progressLine(sending.totals, systemClock.monotonic() - fromMs)}\n`)
  }, options.reportEveryMs)
  const stop = (): void => sending.stop()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const totals = await sending.run()
  clearInterval(progress)
  process.off('SIGINT', stop)
  process.off('SIGTERM', stop)
  await transport.close()
  process.stdout.write(totalsText(options, totals, systemClock.monotonic() - fromMs))
  return exitCodeOf(totals, options.goOnAfterFailure)
}

function progressLine({ accepted, refused, failed }: SendTotals, elapsedMs: number): string {
  const seconds = elapsedMs / 1000
  return `${seconds.toFixed(0)}s: accepted ${accepted}, refused ${refused}, failed ${failed}, ${Math.round(accepted / seconds)}/s`
}

function totalsText(options: SendOptions, totals: SendTotals, elapsedMs: number): string {
  const { accepted, refused, failed, requests, reasons } = totals
  const lines = [
    `${options.signal} to ${options.address} over ${options.protocol}: ${requests} requests in ${(elapsedMs / 1000).toFixed(1)} s`,
    `accepted ${accepted}, refused ${refused}, failed ${failed} items; ` +
      `${Math.round(accepted / (elapsedMs / 1000))} accepted per second`,
    ...[...reasons].map(([reason, count]) => `  ${count} x ${reason}`),
  ]
  return `${lines.join('\n')}\n`
}
