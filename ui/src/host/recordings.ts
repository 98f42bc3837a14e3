import type { CommandError, TabRow } from './types';

/** Recordings of shells on this computer, as the interface sees them; see `types.ts`. */

export interface RecordingMark { sinceMs: number; input: boolean }
export interface RecordingRow {
  id: string;
  /** Whether it can be opened; if not, what it is of is unknown. */
  readable: boolean;
  node: string;
  target: string;
  source: string;
  region: string;
  session: string | null;
  startedMs: number;
  durationMs: number;
  bytes: number;
  input: boolean;
}
export interface RecordingList { rows: RecordingRow[]; problem: CommandError | null }

export interface RecordingHost {
  tabRecord(tab: string, on: boolean): Promise<void>;
  recordingsList(): Promise<RecordingList>;
  /** In a new tab. */
  recordingPlay(id: string): Promise<TabRow>;
  /** In clear, to a new file in the folder for downloads; its path. */
  recordingExport(id: string): Promise<string>;
  recordingDelete(id: string): Promise<void>;
}
