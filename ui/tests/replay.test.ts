import { describe, expect, it } from 'vitest';

import { chordOf, commandFor } from '../src/lib/keymap';
import { clockOf, positionAt } from '../src/replay/position';

describe('a replay', () => {
  const row = { positionMs: 10_000, atMs: 1000, durationMs: 60_000, playing: true, speed: 4, skipPauses: true, note: null };

  it('moves on by its speed while it plays, and not beyond its end', () => {
    expect(positionAt(row, 3000)).toBe(18_000);
    expect(positionAt(row, 500)).toBe(10_000);
    expect(positionAt(row, 60_000)).toBe(60_000);
    expect(positionAt({ ...row, playing: false }, 3000)).toBe(10_000);
  });

  it('says its position as a clock', () => {
    expect([0, 65_999, 3_600_000, 36_009_000].map(clockOf)).toEqual(['0:00', '1:05', '1:00:00', '10:00:09']);
  });
});

describe('the key of recordings', () => {
  const press = (init: Partial<KeyboardEvent>) => chordOf({ key: 'R', code: 'KeyR', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...init } as KeyboardEvent);
  const place = { terminal: true, typing: true, finding: false, platform: 'linux' };

  it('is Ctrl Shift R in a terminal, and never the plain one a shell reads', () => {
    expect(commandFor(press({ ctrlKey: true, shiftKey: true }), place)).toEqual({ do: 'record' });
    expect(commandFor(press({ ctrlKey: true }), place)).toBeNull();
    expect(commandFor(press({ metaKey: true, shiftKey: true }), { ...place, platform: 'macos' })).toEqual({ do: 'record' });
    expect(commandFor(press({ metaKey: true }), { ...place, platform: 'macos' })).toEqual({ do: 'refresh' });
  });
});
