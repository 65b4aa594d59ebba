// The place in the code that asked for a log line, as zap shows it: folder, file and line.

/** For example `otlp/otlp.ts:40`; undefined where the engine does not tell. Frames of src/self are not the place. */
export function callerOf(skip: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, skip)
  for (const frame of (holder.stack ?? '').split('\n').slice(1)) {
    const place = /([^/\\()\s]+)[/\\]([^/\\()\s]+):(\d+):\d+\)?$/.exec(frame)
    if (place !== null && place[2] !== 'logger.ts' && place[2] !== 'logger.js')
      return `${place[1]}/${place[2]}:${place[3]}`
  }
  return undefined
}
