import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cellOf, matrixOf, troublesOf } from '../src/accounts/scopes';
import { digitsOf, expiryOf, howOf, lifeOf, stateGlyph, stateWord, waitsForCode } from '../src/accounts/words';
import type { AccountRegionRow, AccountRow, AccountState, CommandError, MfaAsk } from '../src/host/types';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const problem: CommandError = { code: 'access_denied', message: 'No.', hint: null, detail: null, requestId: null };

function row(part: Partial<AccountRow>): AccountRow {
  return {
    source: 'a', kind: 'identity_center', accountId: '111122223333', role: 'R', arn: null, region: null, signIn: 'corp', through: [], mfaSerial: null,
    settings: [], own: false, inUse: true, state: { state: 'not_checked' }, checkedMs: null, ...part,
  };
}
const ends = (ms: number, renews = false): AccountState => ({ state: 'ready', ending: { ends: 'at', ms, renews } });
const ask = (source: string): MfaAsk => ({ source, serial: 's', role: null, durationS: 900, waiting: 1, trying: false, refused: null });

describe('a source', () => {
  it('warns before its end comes, unless the next credentials come by themselves', () => {
    expect(stateGlyph(ends(NOW + 5 * HOUR), NOW, false)).toBe('ready');
    expect(stateGlyph(ends(NOW + 60_000), NOW, false)).toBe('warn');
    expect(stateGlyph(ends(NOW + 60_000, true), NOW, false)).toBe('ready');
    expect(stateGlyph({ state: 'ready', ending: { ends: 'never' } }, NOW, false)).toBe('warn');
    expect(expiryOf(ends(NOW + 5 * HOUR + 12 * 60_000), NOW)).toMatchObject({ words: '5 h 12 min', tone: '', title: '' });
    expect(expiryOf(ends(NOW + 11 * 60_000), NOW)).toMatchObject({ words: '11 min', tone: 'warn' });
    expect(expiryOf(ends(NOW - 1, true), NOW)).toMatchObject({ words: 'renews itself', tone: '', bar: 1 });
    expect(expiryOf(ends(NOW - 2 * HOUR), NOW)).toMatchObject({ words: 'expired 2 h ago', tone: 'bad', bar: 0 });
    expect(expiryOf({ state: 'over', sinceMs: NOW - 9 * 24 * HOUR }, NOW).words).toBe('expired 9 d ago');
  });

  it('never draws a bar beyond its ends', () => {
    fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.boolean(), (left, renews) => {
      const { bar } = expiryOf(ends(NOW + left, renews), NOW);
      expect(bar === null || (bar >= 0 && bar <= 1)).toBe(true);
    }));
  });

  it('says that it waits for a code when what it is taken through does', () => {
    const core = row({ source: 'core', through: ['base'], state: { state: 'needs_code' } });
    expect(waitsForCode(core, [ask('core')])).toBe(true);
    expect(waitsForCode(core, [ask('base')])).toBe(true);
    expect(waitsForCode(core, [ask('other')])).toBe(false);
    expect(stateWord(core.state, true)).toBe('Waiting for an MFA code');
    expect([stateGlyph(core.state, NOW, true), stateGlyph(core.state, NOW, false)]).toEqual(['check', 'idle']);
  });

  it('says where it comes from', () => {
    expect(howOf(row({}))).toBe('IAM Identity Center · corp');
    expect(howOf(row({ kind: 'role', through: ['payments-prod'], mfaSerial: 'x' }))).toBe('Role through payments-prod, MFA');
    expect(howOf(row({ kind: 'role', source: 'self', through: ['self'] }))).toBe('Role by credentials of this computer');
    expect(howOf(row({ kind: 'process' }))).toBe('Prints of a program');
  });
});

describe('a code', () => {
  it('is the digits of what was typed or pasted, six at most', () => {
    expect(digitsOf(' 407-123\n')).toBe('407123');
    fc.assert(fc.property(fc.string(), (text) => {
      expect(digitsOf(text)).toMatch(/^\d{0,6}$/u);
    }));
  });

  it('has a life in whole hours or in both units', () => {
    expect(lifeOf(3600)).toBe('1 h');
    expect(lifeOf(5400)).toBe('1 h 30 min');
    expect(lifeOf(900)).toBe('15 min');
  });
});

describe('the scopes', () => {
  const one = (source: string, region: string, part: Partial<AccountRegionRow> = {}): AccountRegionRow => ({
    source, accountId: '1', accountName: source, region, state: 'loaded', nodes: 3, hybrid: 0, tier: 'advanced', tierChange: null, problem: null, updatedMs: NOW, ...part,
  });

  it('put every account-region in the place of its source and region', () => {
    const rows = [one('b', 'us-east-1'), one('a', 'eu-west-1'), one('a', 'us-east-1', { state: 'denied', problem })];
    const matrix = matrixOf(rows);
    expect(matrix.regions).toEqual(['eu-west-1', 'us-east-1']);
    expect(matrix.lines.map((line) => line.source)).toEqual(['b', 'a']);
    expect(matrix.lines[0]?.cells.map((cell) => cell?.region ?? null)).toEqual([null, 'us-east-1']);
  });

  it('name a cause once for all the regions of a source', () => {
    const failed = { state: 'failed', problem } as const;
    const rows = [one('a', 'eu-west-1', failed), one('a', 'us-east-1'), one('a', 'us-west-2', failed), one('a', 'x', { state: 'denied', problem }), one('b', 'eu-west-1', failed)];
    expect(troublesOf(rows).map((trouble) => [trouble.first.source, trouble.regions])).toEqual([['a', ['eu-west-1', 'us-west-2']], ['a', ['x']], ['b', ['eu-west-1']]]);
  });

  it('do not call an empty or denied one ready', () => {
    expect(cellOf(one('a', 'r', { nodes: 0 }))).toMatchObject({ glyph: 'off', words: 'empty' });
    expect(cellOf(one('a', 'r', { state: 'denied' }))).toMatchObject({ glyph: 'block', tone: 'bad' });
    expect(cellOf(one('a', 'r'))).toMatchObject({ glyph: 'ready', words: '3 nodes' });
  });
});
