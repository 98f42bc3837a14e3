import type { SessionRow } from '../host/types';

/** Which end comes first, and when. */
export interface Ending {
  cause: 'idle' | 'longest';
  atMs: number;
}

/** The end the session's document sets, if it is known. The service counts idle time while the client is attached. */
export function endingOf(session: SessionRow): Ending | null {
  const { effects } = session;
  if (effects === null || session.state.state !== 'connected') return null;
  const idle: Ending = { cause: 'idle', atMs: session.activeMs + effects.idleMinutes * 60_000 };
  if (effects.maxMinutes === null) return idle;
  const longest: Ending = { cause: 'longest', atMs: session.startedMs + effects.maxMinutes * 60_000 };
  return longest.atMs < idle.atMs ? longest : idle;
}

/** Times before an end at which it is announced, the longest first. */
export const WARNINGS_MS = [120_000, 30_000];

/** The warning that is due: the shortest one that is not longer than what is left; null while there is time. */
export function warningDue(leftMs: number): number | null {
  return WARNINGS_MS.filter((warning) => leftMs <= warning).at(-1) ?? null;
}
