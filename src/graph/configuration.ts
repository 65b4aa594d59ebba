// Configuration text to a checked configuration and its plan: what `validate` does, what the supervisor does before it
// starts anything, and what every shard does with the same texts.

import { decodeDocument, type LoadedConfig } from '../config/document.ts'
import { type LoadOptions, loadTree } from '../config/load.ts'
import type { Entry, MapNode, Place } from '../config/node.ts'
import { type Problem, sortProblems } from '../config/problem.ts'
import type { Retriever } from '../config/sources.ts'
import { type TelemetryConfig, telemetryConfig } from '../self/config.ts'
import { makePlan, type Plan, type PlanProblem } from './plan.ts'
import { registry } from './registry.ts'

export interface Configuration {
  /** Usable only when there are no problems; so is the plan. */
  readonly loaded: LoadedConfig<TelemetryConfig>
  readonly plan: Plan
  /** Everything wrong with it, in the order of the sources and their text. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

export async function loadConfiguration(options: LoadOptions, retrieve: Retriever, shards = 1): Promise<Configuration> {
  const tree = await loadTree(options, retrieve)
  const document = await decodeDocument(tree, { registry, telemetry: telemetryConfig })
  const { plan, problems } = makePlan(document, shards)
  return {
    loaded: document,
    plan,
    problems: sortProblems([...tree.problems, ...document.problems, ...problems.map((p) => located(p, tree.root))]),
    warnings: sortProblems([...tree.warnings, ...document.warnings]),
  }
}

/** Points a problem of the plan at the nearest place in the text that its path leads to. */
function located(problem: PlanProblem, root: MapNode): Problem {
  let node: MapNode | undefined = root
  let place: Place | undefined
  for (const key of problem.path) {
    const entry: Entry | undefined = node?.entries.get(key)
    if (entry === undefined) break
    place = entry.key
    node = entry.value.kind === 'map' ? entry.value : undefined
  }
  const { code, what, fix } = problem
  return { code, path: problem.path.join('.'), what, fix, ...(place === undefined ? {} : { place }) }
}
