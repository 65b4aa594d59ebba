// Edits the attributes of spans, log records and data points; never those of events, links or bodies.
//
//   changed = matches include (or there is none) and does not match exclude
//
// Both are asked level by level: what the resource, the scope or the metric decides is not asked of every item again.

import { AttributeActions } from '../../attributes/actions.ts'
import { Matcher } from '../../attributes/match.ts'
import type { MatchConfig } from '../../attributes/match-config.ts'
import type { Output, Processor } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { editBatch, Walk } from '../../otlp/walk.ts'
import type { AttributesConfig } from './config.ts'

export class AttributesProcessor implements Processor {
  readonly #actions: AttributeActions
  readonly #walk: Walk
  readonly #include: Matcher | undefined
  readonly #exclude: Matcher | undefined
  readonly #visit: (walk: Walk) => void

  constructor(config: AttributesConfig, signal: Signal) {
    this.#actions = new AttributeActions(config.actions)
    this.#walk = new Walk(signal)
    // On metrics, rules without a name have no effect, whether they include or exclude.
    const isHeard = (rules: MatchConfig): boolean => signal !== 'metrics' || rules.metricNames.length > 0
    const { include, exclude } = config
    this.#include = include && isHeard(include) ? new Matcher(include) : undefined
    this.#exclude = exclude && isHeard(exclude) ? new Matcher(exclude) : undefined
    this.#visit = (walk) =>
      signal === 'metrics' ? this.#visitMetrics(walk) : this.#visitItems(walk, signal === 'traces')
  }

  process(batch: Batch, out: Output): void {
    this.#actions.begin(batch.client)
    out.send(editBatch(batch, this.#walk, this.#visit))
  }

  #visitItems(walk: Walk, isTraces: boolean): void {
    const include = this.#include
    const exclude = this.#exclude
    while (walk.nextResource()) {
      if (include !== undefined && !include.resource(walk.resourceAttributes, isTraces)) continue
      const resourceExcluded = exclude?.resource(walk.resourceAttributes, isTraces) === true
      while (walk.nextScope()) {
        if (include !== undefined && !include.scope(walk.scope)) continue
        // From here on undefined says that nothing of this scope is excluded.
        const except = resourceExcluded && exclude!.scope(walk.scope) ? exclude : undefined
        while (walk.nextItem()) {
          if (include !== undefined && !matchesItem(include, walk, isTraces)) continue
          if (except !== undefined && matchesItem(except, walk, isTraces)) continue
          this.#actions.applyToRecord(walk)
        }
      }
    }
  }

  /** For metrics names alone count. */
  #visitMetrics(walk: Walk): void {
    while (walk.nextResource()) {
      while (walk.nextScope()) {
        while (walk.nextItem()) {
          if (this.#include !== undefined && !this.#include.metric(walk.metric)) continue
          if (this.#exclude?.metric(walk.metric) === true) continue
          while (walk.nextPoint()) this.#actions.applyToRecord(walk)
        }
      }
    }
  }
}

const matchesItem = (matcher: Matcher, walk: Walk, isTraces: boolean): boolean =>
  isTraces ? matcher.span(walk.span, walk.attributes) : matcher.log(walk.log, walk.attributes)
