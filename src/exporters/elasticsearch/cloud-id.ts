// Cloud ids of Elastic Cloud: NAME:BASE64, the latter HOST$ELASTICSEARCH$KIBANA, with a port behind host or name.
// elastic.co, "Find your Cloud ID".

/** The URL of the cluster; undefined where the text is no cloud id. */
export function parseCloudId(text: string): URL | undefined {
  const encoded = text.slice(text.lastIndexOf(':') + 1)
  const [host = '', name = ''] = Buffer.from(encoded, 'base64').toString().split('$')
  if (host === '' || name === '') return undefined
  const [domain = '', domainPort] = host.split(':')
  const [cluster = '', clusterPort] = name.split(':')
  const url = `https://${cluster}.${domain}:${clusterPort ?? domainPort ?? '443'}`
  return URL.canParse(url) && /^[\w.-]+$/.test(`${cluster}.${domain}`) ? new URL(url) : undefined
}
