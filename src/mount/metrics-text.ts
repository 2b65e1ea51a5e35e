import { showBytes } from '../base/entry-path.ts';
import { type NativeStatistics, type RequestStatistics, requestKinds } from '../native/statistics.ts';

/** Of what {@link metricsText} tells. */
export interface MetricsSubject {
  readonly directory: Buffer;
  readonly images: readonly Buffer[];
  /** Of Shoal. */
  readonly version: string;
  /** When the mount was made: seconds since 1970. */
  readonly started: number;
  /** Whether it is served. */
  readonly up: boolean;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

const perSecond = 1e9;

/**
 * Statistics in Prometheus' text format, version 0.0.4. Every sample has the label `directory`: the node exporter reads the files of all mounts of a
 * node as one, and refuses them if two have a sample of the same name and labels.
 */
export function metricsText(statistics: NativeStatistics, subject: MetricsSubject): string {
  const { version, started, up } = subject;
  const directory = showBytes(subject.directory);
  const kinds = requestKinds.map((kind) => ({ labels: { directory, kind }, requests: statistics.requests[kind] }));
  const total = (name: string, help: string, value: number) =>
    family(`shoal_${name}_total`, 'counter', help, [[{ directory }, value]]);
  return [
    family(
      'shoal_mount_info',
      'gauge',
      'What is mounted where, by which version of Shoal.',
      subject.images.map((image) => [{ directory, image: showBytes(image), version }, 1]),
    ),
    family('shoal_up', 'gauge', 'Whether the mount is served: 0 after it has ended.', [[{ directory }, up ? 1 : 0]]),
    family('shoal_start_time_seconds', 'gauge', 'When the mount was made, since 1970.', [[{ directory }, started]]),
    family(
      'shoal_requests_total',
      'counter',
      'Requests of the kernel.',
      kinds.map(({ labels, requests }) => [labels, requests.count]),
    ),
    family(
      'shoal_request_errors_total',
      'counter',
      'Requests that failed because of damage, storage or memory.',
      kinds.map(({ labels, requests }) => [labels, requests.errors]),
    ),
    family(
      'shoal_request_duration_seconds',
      'histogram',
      'From when a request was read until it was answered.',
      kinds.flatMap(({ labels, requests }) => histogram(labels, statistics.bounds, requests)),
    ),
    total('served_bytes', 'Bytes of content given to the kernel.', statistics.servedBytes),
    total('storage_reads', 'System calls that read a volume.', statistics.storageReads),
    total('storage_read_bytes', 'Bytes read from volumes.', statistics.storageBytes),
    total('cache_hits', 'Blocks found in the block cache.', statistics.cacheHits),
    total('cache_misses', 'Blocks that the block cache lacked.', statistics.cacheMisses),
    total('retries', 'Reads repeated after an error or too few bytes.', statistics.retries),
    total('checksum_failures', 'Chunks that differed from their checksum.', statistics.checksumFailures),
    total('index_faults', 'Pages of an index that storage did not give.', statistics.indexFaults),
  ].join('');
}

function histogram(labels: Labels, bounds: readonly number[], requests: RequestStatistics): Sample[] {
  const bucket = (le: string, count: number): Sample => [{ ...labels, le }, count, '_bucket'];
  return [
    ...bounds.map((bound, place) => bucket(String(bound / perSecond), requests.upTo[place] ?? 0)),
    bucket('+Inf', requests.count),
    [labels, requests.total / perSecond, '_sum'],
    [labels, requests.count, '_count'],
  ];
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value, suffix = '']) => `${name}${suffix}{${labelText(labels)}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => escapes[character] as string)}"`)
    .join(',');
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
