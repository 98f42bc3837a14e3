import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { offsetOf, pieces } from '../src/documents/json';
import { firstPlace, placeName } from '../src/documents/places';
import { slotAt, slotOf } from '../src/history/words';
import type { AccountRegionRow, DocumentProblemRow, SessionRow } from '../src/host/types';
import { endingOf, warningDue } from '../src/shell/ending';

const problem = (column: number, endColumn: number): DocumentProblemRow => ({ path: '', error: true, message: '', meant: null, found: null, line: 1, column, endColumn });

describe('the JSON pane', () => {
  it('tells names from texts, and numbers and words from both', () => {
    expect(pieces('  "a": ["b", 12, true, null],', []).filter((piece) => piece.kind !== '').map((piece) => [piece.kind, piece.text])).toEqual([
      ['k', '"a"'], ['v', '"b"'], ['n', '12'], ['n', 'true'], ['n', 'null'],
    ]);
  });

  it('marks the columns of a problem, which count characters and not code units', () => {
    const marked = pieces('  "a😀": "xyz"', [problem(9, 14)]).filter((piece) => piece.wrong);
    expect(marked.map((piece) => piece.text).join('')).toBe('"xyz"');
    expect(pieces('abc', [problem(2, 3), problem(3, 9)]).map((piece) => [piece.text, piece.wrong])).toEqual([['a', false], ['b', true], ['c', true]]);
  });

  it('never loses or adds a letter', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '"', '\\', '\t', 'é', '証', '😀') }), fc.nat(30), fc.nat(30), (line, from, length) => {
      expect(pieces(line, [problem(from, from + length)]).map((piece) => piece.text).join('')).toBe(line);
    }));
  });

  it('finds the offset of a line and column', () => {
    const text = 'a\n😀b\nc';
    expect(offsetOf(text, 2, 2)).toBe(text.indexOf('b'));
    expect(offsetOf(text, 3, 1)).toBe(text.indexOf('c'));
    expect(offsetOf(text, 9, 9)).toBeLessThanOrEqual(text.length + 9);
  });
});

describe('the slots of the history', () => {
  it('put each group under its head and lose no row', () => {
    fc.assert(fc.property(fc.nat(20), fc.nat(20), (active, ended) => {
      const heads = Number(active > 0) + Number(ended > 0);
      const slots = Array.from({ length: active + ended + heads }, (_, slot) => slotAt(slot, active, ended, true));
      expect(slots.flatMap((slot) => ('index' in slot ? [slot.index] : []))).toEqual(Array.from({ length: active + ended }, (_, i) => i));
      for (let index = 0; index < active + ended; index += 1) expect(slots[slotOf(index, active, true)]).toEqual({ index });
    }));
    expect(slotAt(3, 5, 5, false)).toEqual({ index: 3 });
  });
});

describe('places of documents', () => {
  const row = (source: string, state: AccountRegionRow['state']): AccountRegionRow => ({
    source, accountId: '', accountName: `${source} account`, region: 'eu-west-1', state, nodes: 0, hybrid: 0, tier: 'unknown', tierChange: null, problem: null, updatedMs: null,
  });

  it('begin with one that could be listed', () => {
    expect(firstPlace([row('a', 'failed'), row('b', 'denied'), row('c', 'loaded')])?.source).toBe('c');
    expect(firstPlace([row('a', 'failed'), row('b', 'loading')])?.source).toBe('b');
    expect(firstPlace([row('a', 'failed')])).toBeNull();
    expect(placeName([row('a', 'loaded')], { source: 'a', region: 'eu-west-1' })).toBe('a account · eu-west-1');
  });
});

describe('the end of a session', () => {
  const session = (idleMinutes: number, maxMinutes: number | null): SessionRow => ({
    sessionId: null, nodeKey: '', nodeId: '', nodeName: '', accountName: '', region: '', document: '', startedMs: 0, state: { state: 'connected' }, denied: null, silent: false, resumedAfterMs: null, demo: false, recording: null, activeMs: 60_000,
    effects: { contentCanBeLogged: true, s3: null, cloudWatch: null, streams: false, sealedWith: null, runAs: { kind: 'nobody' }, idleMinutes, maxMinutes },
  });

  it('is the one that comes first, and is not told while it is not known', () => {
    expect(endingOf(session(1, null))).toEqual({ cause: 'idle', atMs: 120_000 });
    expect(endingOf(session(20, 10))).toEqual({ cause: 'longest', atMs: 600_000 });
    expect(endingOf({ ...session(1, null), effects: null })).toBeNull();
    expect(endingOf({ ...session(1, null), state: { state: 'connecting', step: '' } })).toBeNull();
  });

  it('is announced two minutes and half a minute before', () => {
    expect([300_000, 120_000, 60_000, 30_000, 0].map(warningDue)).toEqual([null, 120_000, 120_000, 30_000, 30_000]);
  });
});
