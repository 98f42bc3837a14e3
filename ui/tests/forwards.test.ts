import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dropForward, moveBundle, moveForward } from '../src/forwards/arrange';
import { points, roundUp } from '../src/forwards/chart';
import { draftOf, emptyDraft, exposes, isAddress, specOf, suggestName, wholeNumber, wrongFields } from '../src/forwards/form';
import { bytes, forwardGlyph, splitPort, stateWords, tally } from '../src/forwards/words';
import type { ForwardRow, ForwardSpec, ForwardState } from '../src/host/types';
import { bundlesOf, matches, switchOf } from '../src/state/forwards.svelte';

const spec: ForwardSpec = {
  name: 'Ledger', kind: 'remote_host', bundle: 'Payments', nodeKey: '1/eu/i-1', host: 'db.internal', port: 5432, localPort: 5433, bind: null, socket: null,
  lanes: 4, start: 'on_demand', favourite: false, guard: 'auto', limits: { connections: 256, idleMinutes: 15, timeLimitMinutes: 0, otherUsers: false },
};

function row(id: string, bundle: string | null, state: ForwardState, on = true): ForwardRow {
  return {
    id, spec: { ...spec, name: id, bundle }, on, state, nodeName: 'bastion', nodeId: 'i-1', accountName: 'prod', region: 'eu', local: '127.0.0.1:5433',
    remote: 'db.internal:5432', connections: 3, lanes: 1, rateDown: 0, rateUp: 0, recentDown: [], endsMs: null,
  };
}

describe('the form', () => {
  it('gives back the description it was filled with', () => {
    const socks: ForwardSpec = { ...spec, kind: 'socks', host: null, port: null, bundle: null, socket: null };
    const socket: ForwardSpec = { ...spec, kind: 'port', host: null, localPort: 0, socket: '~/db.sock', start: 'always', favourite: true, limits: { connections: 8, idleMinutes: 0, timeLimitMinutes: 90, otherUsers: true } };
    for (const one of [spec, socks, socket]) {
      expect(wrongFields(draftOf(one))).toEqual(new Set());
      expect(specOf(draftOf(one))).toEqual(one);
    }
  });

  it('knows which addresses let other computers in', () => {
    expect(['0.0.0.0', '::', '192.168.1.4', 'fe80::1', ' 10.0.0.1 '].map(exposes)).toEqual([true, true, true, true, true]);
    expect(['', '127.0.0.1', '127.8.9.1', '::1', 'eth0', '*'].map(exposes)).toEqual([false, false, false, false, false, false]);
    expect(['256.0.0.1', '1.2.3', 'eth0', '*', 'db.internal'].map(isAddress)).toEqual([false, false, false, false, false]);
    const open: ForwardSpec = { ...spec, bind: '0.0.0.0' };
    expect(specOf(draftOf(open))).toEqual(open);
    expect(wrongFields({ ...draftOf(spec), bind: 'eth0' })).toEqual(new Set(['bind']));
    // A desktop's client is on this computer, and a socket has no address.
    expect(specOf({ ...draftOf(open), kind: 'rdp' }).bind).toBeNull();
    expect(specOf({ ...draftOf(open), socket: '~/db.sock' }).bind).toBeNull();
  });

  it('names what an empty form lacks', () => {
    expect(wrongFields(emptyDraft('remote_host', '', ''))).toEqual(new Set(['name', 'node', 'host', 'port']));
    expect(wrongFields(emptyDraft('rdp', 'key', ''))).toEqual(new Set(['name']));
  });

  it('takes only whole numbers in range, whatever is typed', () => {
    expect(['0', '65536', '1e3', '-1', '5.0', '', ' 80 '].map((text) => wholeNumber(text, 1, 65_535))).toEqual([null, null, null, null, null, null, 80]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = wholeNumber(text, 1, 65_535);
        expect(value === null || (Number.isInteger(value) && value >= 1 && value <= 65_535)).toBe(true);
      }),
    );
  });

  it('suggests a name once there is something to name', () => {
    expect(suggestName({ ...draftOf(spec) }, 'bastion')).toBe('db Postgres');
    expect(suggestName({ ...draftOf(spec), kind: 'port', port: '4000' }, 'bastion')).toBe('bastion :4000');
    expect(suggestName({ ...draftOf(spec), port: '' }, 'bastion')).toBe('');
  });
});

describe('the chart', () => {
  it('puts the newest value at the right edge and nothing outside', () => {
    expect(points([0, 10], 60, 59, 20, 10)).toBe('58.0,20.0 59.0,0.0');
    expect(points([99], 2, 10, 20, 10)).toBe('10.0,0.0');
  });

  it('rounds its upper edge to 1, 2 or 5', () => {
    expect([0, 1, 1.1, 3, 6, 70, 4_600_000].map(roundUp)).toEqual([1, 1, 2, 5, 10, 100, 5_000_000]);
  });
});

describe('words', () => {
  it('counts bytes in at most two digits that matter', () => {
    expect([0, 999, 1000, 9_949, 12_400, 1.9e9].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '9.9 kB', '12 kB', '1.9 GB']);
  });

  it('splits ports off addresses and leaves paths alone', () => {
    expect(splitPort('db.internal:5432')).toEqual({ host: 'db.internal', port: ':5432' });
    expect(splitPort('[::1]:80')).toEqual({ host: '[::1]', port: ':80' });
    expect(splitPort('/run/a:b')).toEqual({ host: '/run/a:b', port: '' });
  });

  it('counts a retry down and tells a wait for sign-in apart', () => {
    const problem = { code: 'network_unreachable' as const, message: 'No.', hint: null, detail: null, requestId: null };
    const failed = row('a', null, { state: 'failed', problem, nextTryMs: 5_000 });
    expect(stateWords(failed, 1_000).note).not.toBe('');
    expect(stateWords(failed, 6_000).note).toBe('');
    expect(forwardGlyph({ state: 'reconnecting', cause: '', awaitsRetry: true })).toBe('lost');
    expect(forwardGlyph({ state: 'reconnecting', cause: '', awaitsRetry: false })).toBe('re');
  });
});

describe('the list', () => {
  const rows = [row('a', null, { state: 'off' }, false), row('b', 'Payments', { state: 'active' }), row('c', 'Payments', { state: 'off' }, false)];

  it('groups by bundle with what is in none last', () => {
    expect(bundlesOf(rows).map((bundle) => [bundle.name, bundle.rows.map((one) => one.id)])).toEqual([['Payments', ['b', 'c']], [null, ['a']]]);
    expect(tally(rows).map((one) => one.count)).toEqual([1, 2]);
  });

  it('shows a bundle that is partly on as mixed', () => {
    expect([switchOf(rows), switchOf(rows.slice(1, 2)), switchOf(rows.slice(0, 1))]).toEqual(['mixed', 'true', 'false']);
  });

  it('is searched by name, node and destination', () => {
    expect(['payments', 'bastion', 'DB.internal', 'nothing'].map((text) => rows.filter((one) => matches(one, text)).length)).toEqual([2, 3, 3, 0]);
  });
});

describe('arranging', () => {
  const off: ForwardState = { state: 'off' };
  const bundles = bundlesOf([row('a', 'Pay', off), row('b', 'Pay', off), row('c', 'Plants', off), row('d', null, off)]);

  it('moves a forward within its bundle and over its edges', () => {
    expect(moveForward(bundles, 'b', -1)).toEqual({ kind: 'place', id: 'b', bundle: 'Pay', before: 'a' });
    expect(moveForward(bundles, 'a', 1)).toEqual({ kind: 'place', id: 'a', bundle: 'Pay', before: null });
    expect(moveForward(bundles, 'b', 1)).toEqual({ kind: 'place', id: 'b', bundle: 'Plants', before: 'c' });
    expect(moveForward(bundles, 'c', -1)).toEqual({ kind: 'place', id: 'c', bundle: 'Pay', before: null });
    expect(moveForward(bundles, 'a', -1)).toBeNull();
    expect(moveForward(bundles, 'd', 1)).toBeNull();
    expect(moveForward(bundles.slice(0, 1), 'b', 1)).toEqual({ kind: 'place', id: 'b', bundle: null, before: null });
  });

  it('moves bundles among bundles', () => {
    expect(moveBundle(bundles, 'Plants', -1)).toEqual({ kind: 'place_bundle', bundle: 'Plants', before: 'Pay' });
    expect(moveBundle(bundles, 'Pay', 1)).toEqual({ kind: 'place_bundle', bundle: 'Pay', before: null });
    expect(moveBundle(bundles, 'Pay', -1)).toBeNull();
    expect(moveBundle(bundles, 'Plants', 1)).toBeNull();
  });

  it('drops a forward above or below another', () => {
    expect(dropForward(bundles, 'd', 'a', false)).toEqual({ kind: 'place', id: 'd', bundle: 'Pay', before: 'a' });
    expect(dropForward(bundles, 'd', 'b', true)).toEqual({ kind: 'place', id: 'd', bundle: 'Pay', before: null });
    expect(dropForward(bundles, 'a', 'b', false)).toEqual({ kind: 'place', id: 'a', bundle: 'Pay', before: 'b' });
    expect(dropForward(bundles, 'b', 'a', true)).toBeNull();
    expect(dropForward(bundles, 'a', 'a', true)).toBeNull();
  });
});
