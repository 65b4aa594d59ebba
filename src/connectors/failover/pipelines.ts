// What only the whole configuration can say: each pipeline behind the connector stands in one level, and no other does.

import type { Problem } from '../../config/problem.ts'
import type { ConnectorContext } from '../../graph/component.ts'

export function pipelineProblems(
  levels: readonly (readonly string[])[],
  { id, from, pipelines }: Pick<ConnectorContext, 'id' | 'from' | 'pipelines'>,
): Problem[] {
  const path = `connectors.${id}.priority_levels`
  const behind = [...pipelines.keys()]
  const list = behind.join(', ')
  const named = new Set(levels.flat())
  const problems: Problem[] = []
  levels.forEach((level, i) => {
    level.forEach((pipeline, j) => {
      if (pipelines.has(pipeline)) return
      const isOther = pipeline.split('/')[0]!.trim() !== from
      problems.push({
        code: 'CONFIG_INVALID',
        path: `${path}[${i}][${j}]`,
        what: isOther
          ? `${pipeline} is no pipeline of ${from}, and a pipeline of ${from} ends in ${id}`
          : `${pipeline} does not receive from ${id}`,
        fix: isOther
          ? `use one failover connector for each signal; behind ${id} stand ${list}`
          : `write receivers: [${id}] in it, or name one of those that do: ${list}`,
      })
    })
  })
  for (const pipeline of behind) {
    if (named.has(pipeline)) continue
    problems.push({
      code: 'CONFIG_INVALID',
      path,
      what: `${pipeline} receives from ${id} and stands in no level, so it would never get anything`,
      fix: `add ${pipeline} to a level, or take ${id} out of its receivers`,
    })
  }
  return problems
}
