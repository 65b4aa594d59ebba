// The scenario that is taken where none is given: two short lines with everything that goes on in a plant, fast enough to
// be watched.

export const SMALL_PLANT = `# Two lines that machine and weld, around the clock.
seed: 1

products:
  - {code: shaft-20, cycle: 4s, scrap: 0.02}
  - {code: flange-8, cycle: 6s, scrap: 0.03}

orders:
  quantity: 12
  changeover: 8s

devices:
  - id: cnc
    type: cnc
    count: 3
    line: line-1
    faults_per_hour: 6
    fault_lasts: 40s
    micro_stops_per_hour: 30
    micro_stop_lasts: 6s
    anomalies_per_hour: 6
    warm_up: 2m
  - id: robot
    type: robot
    count: 2
    line: line-2
    faults_per_hour: 4
    fault_lasts: 30s
    micro_stops_per_hour: 20
    micro_stop_lasts: 5s
    anomalies_per_hour: 4
  - {id: plc-1, type: plc, line: line-1}
  - {id: plc-2, type: plc, line: line-2}
  - {id: conveyor-1, type: conveyor, line: line-1}
  - {id: conveyor-2, type: conveyor, line: line-2}
  - {id: agv, type: agv, count: 2, disconnects_per_hour: 20, disconnect_lasts: 8s}
  - {id: hall-1, type: sensor, every: 5s, anomalies_per_hour: 4}
  - {id: meter-1, type: meter, line: line-1, every: 2s}
  - {id: meter-2, type: meter, line: line-2, every: 2s, clock_skew: 3s}

events:
  - {at: 20s, device: cnc-02, kind: drift, metric: vibration, by: 5, for: 25s}
  - {at: 45s, device: cnc-02, kind: fault, for: 30s, reason: bearing}
  - {at: 70s, device: robot-01, kind: disconnect, for: 15s}
  - {at: 100s, device: cnc-01, kind: maintenance, for: 40s, reason: coolant change}
  - {at: 150s, device: robot-02, kind: slow, by: 1.8, for: 1m}
  - {at: 220s, device: cnc-03, kind: scrap, by: 0.3, for: 1m}
`
