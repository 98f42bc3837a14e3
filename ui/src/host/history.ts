import type { CommandError } from './types';

/** Sessions past and present, as the interface sees them; see `types.ts`. */

export type HistoryShow = 'all' | 'active' | 'ended';
export type HistorySort = 'start' | 'duration' | 'node' | 'owner' | 'kind' | 'document';
export interface HistoryQuery { text: string; show: HistoryShow; hours: number | null; sort: HistorySort; descending: boolean }
export type HistoryStatus = 'connected' | 'connecting' | 'disconnected' | 'ended' | 'timed_out' | 'terminating' | 'failed' | 'unknown';
export type HistoryKind = 'shell' | 'command' | 'forward' | 'ssh' | 'document';

export interface HistoryRow {
  key: string;
  sessionId: string;
  accountName: string;
  region: string;
  target: string;
  nodeName: string;
  owner: string;
  ownerArn: string;
  mine: boolean;
  kind: HistoryKind;
  document: string;
  reason: string;
  status: HistoryStatus;
  details: string;
  startMs: number | null;
  endMs: number | null;
  neverLogged: boolean;
  s3Url: string | null;
  cloudWatchUrl: string | null;
  tab: string | null;
  justInTime: boolean;
}

export interface HistoryWindow { version: number; offset: number; rows: HistoryRow[]; matched: number; active: number; ended: number; issues: string[] }
export interface HistoryGap { accountName: string; region: string; problem: CommandError }
export interface HistorySummary { version: number; places: number; loading: number; sessions: number; gaps: HistoryGap[]; updatedMs: number | null }
export interface HistoryEnded { key: string; problem: CommandError | null }
export type HistoryFormat = 'csv' | 'json';

export interface HistoryHost {
  /** While somebody watches, the active sessions are looked at every few seconds. */
  historyWatch(on: boolean): Promise<HistorySummary>;
  historyRefresh(): Promise<void>;
  historyWindow(query: HistoryQuery, offset: number, len: number): Promise<HistoryWindow>;
  /** Keys of the active sessions of an owner, by ARN. */
  historyOfOwner(owner: string): Promise<string[]>;
  historyEnd(keys: string[]): Promise<HistoryEnded[]>;
  /** Path of the file that was written. */
  historyExport(query: HistoryQuery, format: HistoryFormat): Promise<string>;
}
