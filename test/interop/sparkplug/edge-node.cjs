// An edge node made with Eclipse Tahu's JavaScript client: births when it connects and when it is asked, a value for each
// line of its input, deaths at the end of it.
//
//   node edge-node.cjs <sparkplug-client> <port>

const [, , library, port] = process.argv
const { newClient } = require(library)

const client = newClient({
  serverUrl: `tcp://127.0.0.1:${port}`,
  username: '',
  password: '',
  groupId: 'Plant',
  edgeNode: 'Edge',
  clientId: 'tahu-edge',
  version: 'spBv1.0',
  publishDeath: true,
})
const now = () => Date.now()
const speed = (value) => ({
  name: 'Motor/Speed',
  type: 'Float',
  value,
  properties: { engUnit: { type: 'String', value: 'rpm' } },
})

client.on('birth', () => {
  client.publishNodeBirth({
    timestamp: now(),
    metrics: [
      { name: 'Node Control/Rebirth', type: 'Boolean', value: false },
      { name: 'Offset', type: 'Int32', value: -12 },
    ],
  })
  client.publishDeviceBirth('Press', {
    timestamp: now(),
    metrics: [
      speed(1.5),
      { name: 'Count', type: 'UInt64', value: 7 },
      { name: 'State', type: 'String', value: 'IDLE' },
    ],
  })
  console.log('born')
})
client.on('ncmd', ({ metrics }) => {
  if (metrics.some(({ name, value }) => name === 'Node Control/Rebirth' && value === true)) client.emit('birth')
})

process.stdin.on('data', (text) => {
  for (const line of String(text).trim().split('\n'))
    client.publishDeviceData('Press', { timestamp: now(), metrics: [speed(Number(line))] })
})
process.stdin.on('end', () => {
  client.publishDeviceDeath('Press', { timestamp: now() })
  client.stop()
  setTimeout(() => process.exit(0), 500)
})
