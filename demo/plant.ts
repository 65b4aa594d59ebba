// The plant: simulated devices that publish to the router's broker, and the MES that hears from them. Started by main.ts as
// a process of its own; ends when its parent lets go of it, after it has sent what it holds.

import { connectAsync } from 'mqtt'
import { systemClock } from '../src/graph/clock.ts'
import { readScenario } from '../src/plant/scenario.ts'
import { Simulation } from '../src/plant/simulation.ts'
import { SMALL_PLANT } from '../src/plant/small-plant.ts'
import { Publisher } from '../src/simulate/publisher.ts'
import { startMes } from './mes.ts'

/** How long what the devices said last may be on its way to the broker. */
const SETTLES_WITHIN_MS = 1_000

export interface PlantOptions {
  readonly broker: string
  readonly grpcEndpoint: string
  readonly httpEndpoint: string
}

export async function startPlant({ broker, ...endpoints }: PlantOptions): Promise<{ stop(): Promise<void> }> {
  const mes = await startMes(endpoints)
  const shopFloor = await connectAsync(broker, { clientId: 'mes' })
  shopFloor.on('error', () => {}) // it connects again
  shopFloor.on('message', (_topic, payload) => mes.take(JSON.parse(payload.toString())))
  await shopFloor.subscribeAsync(['orders/+/events', 'quality/+/inspections'], { qos: 1 })
  const publisher = new Publisher({
    url: broker,
    rejectUnauthorized: true,
    protocolVersion: 4,
    qos: 1,
    oneConnection: false,
  })
  const scenario = readScenario(SMALL_PLANT, 'small-plant.yaml')
  const simulation = new Simulation({
    scenario,
    seed: scenario.seed,
    startMs: Date.now(),
    speed: 1,
    durationMs: Number.POSITIVE_INFINITY,
    clock: systemClock,
    take: (event) => publisher.take(event),
    settled: () => publisher.settled(),
  })
  await publisher.start(simulation.devices)
  void simulation.run()
  return {
    async stop() {
      simulation.stop()
      await Promise.race([publisher.settled(), new Promise((resolve) => setTimeout(resolve, SETTLES_WITHIN_MS))])
      await Promise.all([publisher.stop(), shopFloor.endAsync()])
      await mes.stop()
    },
  }
}

if (import.meta.main) {
  // Ctrl-C reaches the whole group; the parent says when to end, so that the last spans still find the router.
  process.on('SIGINT', () => {})
  const { PLANT_BROKER: broker = '', PLANT_GRPC_ENDPOINT = '', PLANT_HTTP_ENDPOINT = '' } = process.env
  const starting = startPlant({ broker, grpcEndpoint: PLANT_GRPC_ENDPOINT, httpEndpoint: PLANT_HTTP_ENDPOINT })
  void starting.then(() => process.connected && process.send?.('ready'))
  const stop = (): void =>
    void starting
      .then((plant) => plant.stop())
      .catch(() => {})
      .finally(() => process.exit(0))
  if (process.connected) process.once('disconnect', stop)
  else stop()
}
