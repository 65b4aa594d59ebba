// The keys of `file_storage` (Collector reference 5.3), and max_size, which is ours.

import { bool, byteSize, duration, group, type Infer, ignored, object, string } from '../../config/schema.ts'

const NOT_NEEDED = 'Read for compatibility: files that are done with are deleted, so there is nothing to compact.'
const PERMISSION_BITS = 0o777

export const config = object(
  {
    directory: string('directory', {
      default: '/var/lib/otelcol/file_storage',
      doc: 'Where the files are. It must exist, unless create_directory is on.',
    }),
    maxBytes: byteSize('max_size', {
      default: '10GiB',
      min: '1MiB',
      doc: 'How many bytes each queue may take on disk; a full one refuses, and its senders may try again. Divided between the shards, each of which has a queue.',
    }),
    fsync: bool('fsync', {
      default: true,
      doc: 'Whether what was taken survives a power cut, and not only the end of the process. Many requests share one fdatasync. The Collector has false as its default.',
    }),
    timeoutMs: duration('timeout', {
      default: '1s',
      min: '0s',
      doc: 'How long to wait for another process that has a queue open. 0: not at all.',
    }),
    createDirectory: bool('create_directory', {
      default: false,
      doc: 'Whether the directory is created at the start.',
    }),
    directoryPermissions: string('directory_permissions', {
      default: '0750',
      doc: 'Permissions of directories that are created, in octal, before the umask.',
    }),
    compaction: group(
      'compaction',
      object({
        onStart: ignored('on_start', { doc: NOT_NEEDED }),
        onRebound: ignored('on_rebound', { doc: NOT_NEEDED }),
        directory: ignored('directory', { doc: NOT_NEEDED }),
        maxTransactionSize: ignored('max_transaction_size', { doc: NOT_NEEDED }),
        cleanupOnStart: ignored('cleanup_on_start', { doc: NOT_NEEDED }),
        reboundNeededThresholdMib: ignored('rebound_needed_threshold_mib', { doc: NOT_NEEDED }),
        reboundTriggerThresholdMib: ignored('rebound_trigger_threshold_mib', { doc: NOT_NEEDED }),
        checkInterval: ignored('check_interval', { doc: NOT_NEEDED }),
      }),
      { doc: 'Nothing here needs it.' },
    ),
    recreate: ignored('recreate', {
      doc: 'Read for compatibility: damage costs the records that it hit, and the queue goes on behind them.',
    }),
  },
  {
    check(value, problem) {
      if (value.directory === '') problem('directory', 'is empty', 'directory: /var/lib/millrace')
      if (!/^[0-7]+$/.test(value.directoryPermissions) || directoryMode(value) > PERMISSION_BITS)
        problem('directory_permissions', 'is not an octal number up to 0777', 'directory_permissions: "0750"')
    },
  },
)

export type FileStorageConfig = Infer<typeof config>

export const directoryMode = (value: Pick<FileStorageConfig, 'directoryPermissions'>): number =>
  Number.parseInt(value.directoryPermissions, 8)
