import { describe, expect, it } from 'vitest';

import type { HistoryRow, Host, LogAsk, SessionLog } from '../src/host/types';
import type { Chrome } from '../src/state/chrome.svelte';
import { hitsIn, SessionLogState } from '../src/state/session-log.svelte';

const ROW = { key: 'a/r/s-1', sessionId: 's-1', neverLogged: false } as HistoryRow;

function part(text: string, next: string | null, more: Partial<SessionLog> = {}): SessionLog {
  return { state: 'text', spots: [], store: 's3', document: null, documentMissing: false, text, next, isEnd: next === null, size: null, running: false, problem: null, denied: null, ...more };
}

/** A host that gives these parts by their cursor. */
function hostOf(parts: Record<string, SessionLog>, asked: LogAsk[] = []): Host {
  return {
    sessionLog: (ask: LogAsk) => {
      asked.push(ask);
      return Promise.resolve(parts[ask.at ?? ''] ?? part('', null));
    },
  } as unknown as Host;
}

/** Runs actions, and shows no refusal. */
const CHROME = { run: <T>(action: Promise<T>) => action } as unknown as Chrome;

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('the log of a session', () => {
  it('joins lines over parts and counts them', async () => {
    const asked: LogAsk[] = [];
    const log = new SessionLogState(hostOf({ '': part('one\ntw', 'b:6'), 'b:6': part('o\nthree\n', null) }, asked), CHROME);
    log.open(ROW, 'log', 's3');
    await settled();
    expect(log.lines).toEqual(['one', 'tw']);
    await log.readAll();
    expect(log.lines).toEqual(['one', 'two', 'three', '']);
    expect(log.lineCount).toBe(3);
    expect(asked).toEqual([{ key: ROW.key, store: 's3', at: null }, { key: ROW.key, store: 's3', at: 'b:6' }]);
  });

  it('does not take the answer for a session that was left', async () => {
    let answer: (log: SessionLog) => void = () => undefined;
    const slow = { sessionLog: () => new Promise<SessionLog>((resolve) => (answer = resolve)) } as unknown as Host;
    const log = new SessionLogState(slow, CHROME);
    log.open(ROW, 'log');
    log.close();
    answer(part('late\n', null));
    await settled();
    expect(log.lines).toEqual([]);
    expect(log.part).toBeNull();
  });

  it('finds lines whatever their case', () => {
    expect(hitsIn(['Error one', 'fine', 'an ERROR'], 'error')).toEqual([0, 2]);
    expect(hitsIn(['anything'], '')).toEqual([]);
  });
});
