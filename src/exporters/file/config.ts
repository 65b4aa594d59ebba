// The keys of the file exporter (reference/otelcol-core.md 4.8).

import { bool, choice, group, type Infer, ignored, int, object, section, string } from '../../config/schema.ts'

// 0777: what os.ModePerm lets through.
const PERMISSION_BITS = 0o777

export const config = object(
  {
    path: string('path', {
      required: true,
      doc: 'The file that is written; with group_by, a path with one * in place of the attribute.',
    }),
    format: choice('format', {
      default: 'json',
      of: {
        json: 'One OTLP/JSON request per line.',
        proto: 'Encoded OTLP requests, each after its length in four bytes, most significant first.',
      },
      doc: 'How telemetry is written.',
    }),
    append: bool('append', {
      default: false,
      doc: 'Whether an existing file is continued; otherwise it is emptied at the start.',
    }),
    compression: choice('compression', {
      default: 'none',
      of: {
        '': 'None.',
        none: 'None.',
        zstd: 'Each request is packed by itself and follows its length in four bytes, in both formats.',
      },
      doc: 'How requests are compressed.',
    }),
    compressionParams: group(
      'compression_params',
      object({
        level: int('level', {
          default: 0,
          min: 0,
          max: 22,
          doc: "Zstd's level from 1 to 22; 0 is zstd's own default.",
        }),
      }),
      { doc: 'Details of the compression.' },
    ),
    flushInterval: ignored('flush_interval', {
      doc: 'Everything is written as it comes, and counts as delivered only then.',
    }),
    rotation: section(
      'rotation',
      object({
        maxMegabytes: int('max_megabytes', {
          default: 100,
          min: 0,
          doc: 'Size in MiB before which a new file is begun; 0 means the default.',
        }),
        maxDays: int('max_days', {
          default: 0,
          min: 0,
          doc: 'Days after which rotated files are deleted, by the time in their names; 0 keeps them.',
        }),
        maxBackups: int('max_backups', { default: 100, min: 0, doc: 'Rotated files to keep; 0 keeps all.' }),
        localtime: bool('localtime', {
          default: false,
          doc: "Whether the time in a rotated file's name is the machine's local time instead of UTC.",
        }),
      }),
      {
        optional: 'default',
        doc: 'Renames a full file to NAME-2022-09-14T05-02-14.173.EXT and begins a new one. An existing file is continued.',
      },
    ),
    groupBy: group(
      'group_by',
      object({
        enabled: bool('enabled', { default: false, doc: 'Whether telemetry is spread over several files.' }),
        resourceAttribute: string('resource_attribute', {
          default: 'fileexporter.path_segment',
          doc: 'The resource attribute (a string) that takes the place of * in path. Resources without it are dropped and counted.',
        }),
        maxOpenFiles: int('max_open_files', {
          default: 100,
          min: 1,
          doc: 'Files kept open; the one that was not used for longest is closed.',
        }),
      }),
      { doc: 'Writes a file per value of a resource attribute. Directories are created as needed.' },
    ),
    createDirectory: bool('create_directory', {
      default: false,
      doc: 'Whether the directory of path is created at the start.',
    }),
    directoryPermissions: string('directory_permissions', {
      default: '',
      doc: 'Permissions of directories that are created, in octal, before the umask; 0755 when empty. Needs create_directory.',
    }),
  },
  {
    check(value, problem) {
      const { path, append, groupBy, directoryPermissions } = value
      if (path === '') problem('path', 'is empty', 'path: ./telemetry.jsonl')
      if (append && value.compression === 'zstd')
        problem('append', 'cannot be combined with compression', 'append: false')
      if (append && value.rotation !== undefined)
        problem(
          'append',
          'cannot be combined with rotation, which continues an existing file by itself',
          'append: false',
        )
      if (groupBy.enabled) {
        if (path.split('*').length !== 2)
          problem('path', 'must contain exactly one * when group_by is enabled', 'path: ./telemetry/*.jsonl')
        else if (path.startsWith('*'))
          problem('path', 'must not start with * when group_by is enabled', `path: ./${path}`)
        if (groupBy.resourceAttribute === '')
          problem('group_by.resource_attribute', 'is empty', 'resource_attribute: fileexporter.path_segment')
      }
      if (directoryPermissions === '') return
      if (!value.createDirectory)
        problem('directory_permissions', 'has no effect without create_directory', 'create_directory: true')
      else if (!/^[0-7]+$/.test(directoryPermissions) || Number.parseInt(directoryPermissions, 8) > PERMISSION_BITS)
        problem('directory_permissions', 'is not an octal number up to 0777', 'directory_permissions: "0755"')
    },
  },
)

export type FileConfig = Infer<typeof config>
export type Rotation = NonNullable<FileConfig['rotation']>

/** Permissions for directories, from their octal text. */
export const directoryMode = (value: FileConfig): number =>
  value.directoryPermissions === '' ? 0o755 : Number.parseInt(value.directoryPermissions, 8)
