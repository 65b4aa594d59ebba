// The plan as text, and as a Mermaid flow chart.

import type { Plan } from './plan.ts'

/** What `millrace graph FILE` prints. */
export function planToText(plan: Plan): string {
  const lines: string[] = [`shards: ${plan.shards}`]
  if (plan.extensions.length > 0) lines.push(`extensions: ${plan.extensions.join(', ')}`)
  for (const pipeline of [...plan.pipelines].reverse()) {
    const steps = pipeline.steps.map((step) => (step.kind === 'exchange' ? `<exchange by ${step.key}>` : step.id))
    const ends = [
      ...pipeline.exporters.map((id) => exporterText(plan, id)),
      ...plan.connectors.filter((c) => pipeline.connectors.includes(c.instance)).map(connectorText),
    ]
    lines.push('', `pipeline ${pipeline.name}`, `  from  ${pipeline.receivers.join(', ')}`)
    if (steps.length > 0) lines.push(`  steps ${steps.join(' -> ')}`)
    lines.push(`  to    ${ends.join(', ')}`)
    if (pipeline.answersWhen === 'delivered') lines.push('  answers when delivered')
  }
  lines.push(
    '',
    `start: ${startOrder(plan).join(', ')}`,
    'stop:  receivers, then pipelines in the order of flow, exporters last',
  )
  return `${lines.join('\n')}\n`
}

function exporterText(plan: Plan, id: string): string {
  const key = plan.exporters.find((exporter) => exporter.id === id)?.key
  return key === undefined ? id : `<exchange by ${key}> -> ${id}`
}

const connectorText = (c: Plan['connectors'][number]): string => `${c.id} (to ${c.feeds.join(', ')})`

/** Ids in the order in which they start: extensions, exporters, processors and connectors against the flow, receivers. */
export function startOrder(plan: Plan): string[] {
  const between = plan.pipelines.flatMap((p) => [
    ...plan.connectors.filter((c) => p.connectors.includes(c.instance)).map((c) => c.id),
    ...p.steps.flatMap((s) => (s.kind === 'processor' ? [s.id] : [])).reverse(),
  ])
  // An exporter and a receiver may have the same id, and usually have.
  return [
    ...plan.extensions,
    ...plan.exporters.map((e) => e.id),
    ...new Set(between),
    ...plan.receivers.map((r) => r.id),
  ]
}

/** What `millrace graph --mermaid FILE` prints: paste it into any Markdown that draws Mermaid. */
export function planToMermaid(plan: Plan): string {
  const lines = ['flowchart LR']
  const names = new Map<string, string>()
  const node = (key: string, label: string, open = '[', close = ']'): string => {
    let name = names.get(key)
    if (name === undefined) {
      name = `n${names.size}`
      names.set(key, name)
      lines.push(`  ${name}${open}"${label}"${close}`)
    }
    return name
  }
  const firstOf = new Map<string, string>()
  for (const pipeline of plan.pipelines) {
    let last: string | undefined
    for (const step of pipeline.steps) {
      const here =
        step.kind === 'exchange'
          ? node(`${pipeline.name} by ${step.key} ${names.size}`, `by ${step.key}`, '{{', '}}')
          : node(`${pipeline.name} ${step.instance}`, `${step.id}<br/>${pipeline.name}`)
      if (last === undefined) firstOf.set(pipeline.name, here)
      else lines.push(`  ${last} --> ${here}`)
      last = here
    }
    if (last === undefined) {
      last = node(`pipeline ${pipeline.name}`, pipeline.name, '((', '))')
      firstOf.set(pipeline.name, last)
    }
    for (const id of pipeline.exporters) {
      const key = plan.exporters.find((exporter) => exporter.id === id)?.key
      const by = key === undefined ? '' : `-- by ${key} `
      lines.push(`  ${last} ${by}--> ${node(`exporter ${id}`, id, '([', '])')}`)
    }
    for (const instance of pipeline.connectors) lines.push(`  ${last} --> ${node(instance, instance, '[/', '/]')}`)
  }
  for (const connector of plan.connectors) {
    for (const name of connector.feeds)
      lines.push(`  ${node(connector.instance, connector.instance, '[/', '/]')} --> ${firstOf.get(name)}`)
  }
  for (const receiver of plan.receivers) {
    for (const [signal, names] of Object.entries(receiver.feeds)) {
      for (const name of names)
        lines.push(
          `  ${node(`receiver ${receiver.id}`, receiver.id, '([', '])')} -- ${signal} --> ${firstOf.get(name)}`,
        )
    }
  }
  return `${lines.join('\n')}\n`
}
