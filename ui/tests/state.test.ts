import { describe, expect, it } from 'vitest';

import type { AppEvent, Change, FleetViewState, Settings, TabRow } from '../src/host/types';
import { EventGate } from '../src/state/gate';

function tab(id: string, title = id): TabRow {
  return { id, kind: 'shell', title, programTitle: '', session: null, replay: null, unseen: false, bell: false };
}
const tabChange = (id: string, title?: string): Change => ({ kind: 'tab', tab: tab(id, title) });
const viewChange = (view: string): Change => ({ kind: 'view', view: { view, version: 1, matched: 0, total: 0, issues: [] } satisfies FleetViewState });
const event = (version: number, change: Change): AppEvent => ({ version, change });

describe('EventGate', () => {
  it('holds events until the snapshot and then passes only newer ones, in order', () => {
    const gate = new EventGate();
    for (const version of [3, 1, 2, 5]) expect(gate.receive(event(version, tabChange(`t${version}`)))).toEqual([]);
    expect(gate.open(2).map((one) => one.version)).toEqual([3, 5]);
  });

  it('drops late and repeated states of one subject', () => {
    const gate = new EventGate();
    gate.open(10);
    expect(gate.receive(event(10, tabChange('a')))).toEqual([]);
    expect(gate.receive(event(12, tabChange('a', 'new')))).toHaveLength(1);
    expect(gate.receive(event(11, tabChange('a', 'old')))).toEqual([]);
    expect(gate.receive(event(12, tabChange('a')))).toEqual([]);
  });

  it('does not let one subject hide another', () => {
    const gate = new EventGate();
    gate.open(0);
    expect(gate.receive(event(9, viewChange('v1')))).toHaveLength(1);
    expect(gate.receive(event(8, viewChange('v2')))).toHaveLength(1);
    expect(gate.receive(event(7, { kind: 'settings', settings: {} as Settings }))).toHaveLength(1);
  });

  it('holds again after it was closed', () => {
    const gate = new EventGate();
    gate.open(5);
    gate.close();
    expect(gate.receive(event(6, tabChange('a')))).toEqual([]);
    expect(gate.open(6)).toEqual([]);
  });
});
