// What a component may log. Who prints it, where and in what form is decided by service.telemetry.logs.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Values must be safe to print: a component never hands a secret to its logger. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** False when a line of that level would go nowhere: ask before building a costly text. */
  enabled(level: LogLevel): boolean
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger
}
