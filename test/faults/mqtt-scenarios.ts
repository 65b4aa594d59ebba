// The MQTT scenarios, as data, and their verdicts.

import { type MqttBooks, MqttFaultRun, type MqttScenario } from './mqtt-run.ts'

const EVERYTHING = ['cut', 'cut', 'kill router', 'restart broker', 'sink', 'sink', 'restart router'] as const

export const MQTT_SCENARIOS: readonly MqttScenario[] = [
  ...(['memory', 'disk'] as const).map((queue) => ({
    name: `MQTT at QoS 1, queue ${queue}: router killed, broker restarted, network cut, sink moody: nothing lost, order kept`,
    queue,
    faults: EVERYTHING,
  })),
  {
    name: 'MQTT at QoS 1, no queue: router killed, broker restarted, network cut, sink moody: nothing lost',
    queue: 'none',
    faults: EVERYTHING,
    longOnly: true,
  },
  ...(['memory', 'disk'] as const).map((queue) => ({
    name: `MQTT at QoS 1, queue ${queue}: the broker killed too: what the router has acknowledged is never lost`,
    queue,
    faults: [...EVERYTHING, 'kill broker', 'kill broker'] as const,
    longOnly: queue === 'memory',
  })),
]

export interface MqttVerdict {
  readonly books?: MqttBooks
  readonly failure?: string
}

export async function runMqttScenario(scenario: MqttScenario, seed: number, forMs: number): Promise<MqttVerdict> {
  const title = `${scenario.name} (FAULT_SEED=${seed})`
  try {
    const { books, faults, log, output } = await new MqttFaultRun(scenario, seed).run(forMs)
    if (faults.length === 0) return { books }
    return { books, failure: [title, ...faults, JSON.stringify(books), ...log, output].join('\n') }
  } catch (error) {
    return { failure: `${title}\n${(error as Error).stack}` }
  }
}
