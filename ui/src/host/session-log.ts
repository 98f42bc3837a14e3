import type { CommandError, Denied, TabRow } from './types';

/** What a session left behind, as the interface sees it; see `types.ts`. */

export type LogStore = 's3' | 'cloud_watch';
export interface LogSpot { store: LogStore; name: string; document: string | null; streams: boolean }
export type LogState = 'text' | 'never_logged' | 'not_recorded' | 'not_yet' | 'missing' | 'failed';
export interface LogAsk { key: string; store: LogStore | null; at: string | null }

export interface SessionLog {
  state: LogState;
  spots: LogSpot[];
  store: LogStore | null;
  document: string | null;
  documentMissing: boolean;
  /** Without control sequences, at most 1 MiB. */
  text: string;
  /** Continues behind it; at the end of a log that may grow it asks for what came since. */
  next: string | null;
  isEnd: boolean;
  size: number | null;
  running: boolean;
  problem: CommandError | null;
  denied: Denied | null;
}

export interface SessionEventRow { id: string; name: string; atMs: number; caller: string; sourceIp: string; userAgent: string; error: string; record: string }
export interface SessionEventList { events: SessionEventRow[]; cut: boolean; problem: CommandError | null; denied: Denied | null }

export interface SessionLogHost {
  sessionLog(ask: LogAsk): Promise<SessionLog>;
  /** Path of the file that was written. */
  sessionLogSave(key: string, store: LogStore | null): Promise<string>;
  /** Reads the whole log and replays it in a new tab. */
  sessionLogReplay(key: string, store: LogStore | null): Promise<TabRow>;
  sessionEvents(key: string): Promise<SessionEventList>;
}
