// Configuration text to a checked configuration and its plan: what `validate` does, and what the supervisor does before
// it starts anything. Shards are handed the plan and the tree, and decode the tree again.

import { availableParallelism } from 'node:os'
import { decodeDocument, findPlace, type LoadedConfig } from '../config/document.ts'
import { type LoadOptions, loadTree } from '../config/load.ts'
import type { MapNode } from '../config/node.ts'
import { type PackedTree, packTree } from '../config/packed-tree.ts'
import { type Problem, sortProblems } from '../config/problem.ts'
import { SHARDS_MAX } from '../config/shards.ts'
import type { Retriever } from '../config/sources.ts'
import { type TelemetryConfig, telemetryConfig, telemetryWarnings } from '../self/config.ts'
import { makePlan, type Plan, type PlanProblem } from './plan.ts'
import { registry } from './registry.ts'

export interface Configuration {
  /** Usable only when there are no problems; so are the plan and the tree. */
  readonly loaded: LoadedConfig<TelemetryConfig>
  readonly plan: Plan
  /** What was read, for the shards. */
  readonly tree: PackedTree
  /** Everything wrong with it, in the order of the sources and their text. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

export async function loadConfiguration(options: LoadOptions, retrieve: Retriever): Promise<Configuration> {
  const tree = await loadTree(options, retrieve)
  const document = await decodeDocument(tree, { registry, telemetry: telemetryConfig, telemetryWarnings })
  const { shards: asked } = document.service
  const shards = asked === 'auto' ? Math.min(availableParallelism(), SHARDS_MAX) : asked
  const { plan, problems } = makePlan(document, shards)
  // Where a pipeline could not be read, the plan would miss what it joins and complain of others.
  const isWhole = !document.problems.some(({ path }) => path.startsWith('service.pipelines'))
  const ofPlan = isWhole ? problems.map((p) => located(p, tree.root)) : []
  return {
    loaded: document,
    plan,
    tree: packTree(tree),
    problems: sortProblems([...document.problems, ...ofPlan], tree.sources),
    warnings: document.warnings,
  }
}

/** Points a problem of the plan at the nearest place in the text that its path leads to. */
function located({ code, path, what, fix }: PlanProblem, root: MapNode): Problem {
  return { code, path: path.join('.'), what, fix, place: findPlace(root, path) }
}
