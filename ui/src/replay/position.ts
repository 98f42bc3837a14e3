import type { ReplayRow } from '../host/types';

/** Where a replay is at a moment, in milliseconds since its beginning. */
export function positionAt(row: ReplayRow, now: number): number {
  const gone = row.playing ? Math.max(0, now - row.atMs) * row.speed : 0;
  return Math.min(row.durationMs, row.positionMs + gone);
}

/** "1:05", "2:00:09". */
export function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
