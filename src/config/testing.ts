// Typed configuration from plain values, for tests.

import { fromValue, Source } from './node.ts'
import { ConfigError, type Problem } from './problem.ts'
import type { Schema } from './schema.ts'
import { At } from './types.ts'

/** Decodes `plain` as if it stood in a file. Throws a ConfigError with every problem. Write YamlFloat for `1.0`. */
export function parseConfig<T>(schema: Schema<T>, plain: unknown = {}): T {
  const problems: Problem[] = []
  const place = { source: new Source('test', ''), start: 0, end: 0 }
  const value = schema.decode(fromValue(plain, place), new At('', place, problems))
  if (problems.length > 0) throw new ConfigError(problems)
  return value
}
