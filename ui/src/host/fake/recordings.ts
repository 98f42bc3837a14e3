import type { RecordingHost, RecordingRow } from '../recordings';
import { HostError } from '../types';

/** Invented recordings, for looking at the page in a browser. */
export function createFakeRecordings(): Omit<RecordingHost, 'tabRecord'> {
  const nodes = ['core-db-1', 'edge-gw-3', 'plant-hmi-07'];
  let rows: RecordingRow[] = nodes.map((node, i) => ({
    id: `${i}`.repeat(32), readable: i < 2, node: i < 2 ? node : '', target: `i-0${i}23456789abcdef`, source: i < 2 ? 'payments-prod' : '', region: i < 2 ? 'eu-central-1' : '',
    session: i < 2 ? `mika.sato-0a1b2c3d4e5f${i}` : null, startedMs: Date.now() - (i + 1) * 7_200_000, durationMs: 754_000 * (i + 1), bytes: 48_700 * (i + 1), input: i === 1,
  }));
  return {
    recordingsList: () => Promise.resolve({ rows, problem: null }),
    recordingPlay: () => Promise.reject(new HostError({ code: 'unsupported', message: 'The invented host replays nothing.', hint: null, detail: null, requestId: null })),
    recordingExport: (id) => Promise.resolve(`~/Downloads/fleetline-recording-${id.slice(0, 8)}.cast`),
    recordingDelete: (id) => {
      rows = rows.filter((row) => row.id !== id);
      return Promise.resolve();
    },
  };
}
