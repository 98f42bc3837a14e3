import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { BookChange, FleetBook, FleetQuery, FleetViewState, Host, NodeRow } from '../src/host/types';
import { BookState } from '../src/state/book.svelte';
import type { Chrome } from '../src/state/chrome.svelte';
import { FleetState } from '../src/state/fleet.svelte';

vi.stubGlobal('window', globalThis);

const chrome = { run: async (action: Promise<unknown>) => action.catch(() => undefined), failure: null } as unknown as Chrome;

/** A host whose one view shows these keys in this order. */
class Rows {
  keys: string[] = [];
  version = 1;
  asked: FleetQuery[] = [];
  windows = 0;
  changes: BookChange[] = [];
  book: FleetBook = { views: [], groups: [], favourites: 0, layout: { columns: [], widths: [] }, open: null };

  state(): FleetViewState {
    return { view: 'view-1', version: this.version, matched: this.keys.length, total: this.keys.length, issues: [] };
  }

  host(): Host {
    return {
      fleetViewOpen: async () => this.state(),
      fleetViewQuery: async (_: string, query: FleetQuery) => {
        this.asked.push(query);
        this.version += 1;
        return this.state();
      },
      fleetViewWindow: async (view: string, offset: number, len: number) => {
        this.windows += 1;
        const rows = this.keys.slice(offset, offset + len).map((key) => ({ key, name: key }) as NodeRow);
        return { view, version: this.version, offset, rows };
      },
      fleetViewFind: async (_: string, key: string) => (this.keys.includes(key) ? this.keys.indexOf(key) : null),
      fleetNode: async (key: string) => ({ row: { key } }),
      fleetBook: async (change: BookChange) => {
        this.changes.push(change);
        if (change.change === 'save_view') this.book = { ...this.book, views: [change.view] };
        if (change.change === 'open') this.book = { ...this.book, open: change.view };
        return this.book;
      },
    } as unknown as Host;
  }

  /** What the host tells when the order changed. */
  move(fleet: FleetState, keys: string[]): void {
    this.keys = keys;
    this.version += 1;
    fleet.takeView(this.state());
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('the fleet under live changes', () => {
  let rows: Rows;
  let fleet: FleetState;

  beforeEach(async () => {
    rows = new Rows();
    rows.keys = ['a', 'b', 'c', 'd'];
    const host = rows.host();
    fleet = new FleetState(host, chrome, new BookState(host, chrome));
    await fleet.open();
    await settled();
  });

  it('keeps the selection on its node wherever it moves, and when the filter hides it', async () => {
    fleet.select('c', 2);
    rows.move(fleet, ['c', 'a', 'b', 'd']);
    await settled();
    expect([fleet.selectedKey, fleet.selectedIndex, fleet.rowAt(0)?.key]).toEqual(['c', 0, 'c']);
    rows.move(fleet, ['a', 'b']);
    await settled();
    expect([fleet.selectedKey, fleet.selectedIndex]).toEqual(['c', -1]);
    rows.move(fleet, ['a', 'b', 'c']);
    await settled();
    expect([fleet.selectedKey, fleet.selectedIndex]).toEqual(['c', 2]);
  });

  it('acts on the node that is selected, not on the one that took its place', async () => {
    fleet.hold(true);
    fleet.select('a', 0);
    rows.move(fleet, ['d', 'c', 'b', 'a']);
    await settled();
    expect([fleet.selectedIndex, fleet.rowAt(3)?.key, fleet.selectedRow()?.key]).toEqual([3, 'd', 'a']);
    fleet.select(null, -1);
    expect(fleet.selectedRow()).toBeUndefined();
  });

  it('reads the detail of the selected node however often the fleet changes', async () => {
    fleet.select('a', 0);
    await settled();
    fleet.select('b', 1);
    const until = performance.now() + 250;
    for (let version = 1; performance.now() < until && fleet.detail?.row.key !== 'b'; version += 1) {
      fleet.takeSummary({ ...fleet.summary, version });
      await settled();
    }
    expect(fleet.detail?.row.key).toBe('b');
  });

  it('moves no row under the pointer, and catches up when it leaves', async () => {
    fleet.hold(true);
    rows.move(fleet, ['d', 'c', 'b', 'a']);
    await settled();
    expect([0, 1, 2, 3].map((at) => fleet.rowAt(at)?.key)).toEqual(['a', 'b', 'c', 'd']);
    fleet.hold(false);
    await settled();
    expect([0, 1, 2, 3].map((at) => fleet.rowAt(at)?.key)).toEqual(['d', 'c', 'b', 'a']);
  });

  it('asks for nothing again when nothing changed', async () => {
    const { windows } = rows;
    fleet.want(0, 4);
    fleet.takeView(rows.state());
    await settled();
    expect(rows.windows).toBe(windows);
  });

  it('meets every row once from one end to the other', async () => {
    rows.move(fleet, Array.from({ length: 1003 }, (_, i) => `n${i}`));
    await settled();
    const met = new Set<string>();
    for (let first = 0; first < 1003; first += 37) {
      fleet.want(first, first + 37);
      await settled();
      for (let at = first; at < Math.min(1003, first + 37); at += 1) met.add(fleet.rowAt(at)?.key ?? `hole at ${at}`);
    }
    expect([...met]).toEqual(rows.keys);
  });
});

describe('saved views', () => {
  it('are shown, differ when something is changed, and are updated', async () => {
    const rows = new Rows();
    rows.keys = ['a'];
    const host = rows.host();
    const fleet = new FleetState(host, chrome, new BookState(host, chrome));
    await fleet.open();
    fleet.setText('platform:windows');
    fleet.sortBy('agent');
    await settled();
    expect(await fleet.saveView('Windows')).toBe(true);
    expect([fleet.savedView?.name, fleet.viewChanged]).toEqual(['Windows', false]);
    fleet.setLayout({ columns: ['name', 'ip'], widths: [] });
    expect([fleet.viewChanged, fleet.layout.columns]).toEqual([true, ['name', 'ip']]);
    await fleet.showView('windows');
    expect([fleet.viewChanged, fleet.layout.columns]).toEqual([false, []]);
    fleet.sortBy('agent');
    expect(fleet.viewChanged).toBe(true);
    await fleet.updateView();
    expect([fleet.viewChanged, rows.book.views[0]?.query.descending]).toEqual([false, true]);
    await fleet.showView(null);
    expect([fleet.savedView, rows.asked.at(-1)?.text]).toEqual([null, '']);
  });

  it('keep widths at once but columns only when they are updated', async () => {
    const rows = new Rows();
    const host = rows.host();
    const fleet = new FleetState(host, chrome, new BookState(host, chrome));
    await fleet.open();
    await fleet.saveView('All');
    fleet.setLayout({ columns: ['name', 'ip'], widths: [] });
    fleet.setWidths({ columns: ['name', 'ip'], widths: [{ column: 'ip', px: 200 }] });
    await settled();
    expect(rows.changes.at(-1)).toEqual({ change: 'layout', view: 'All', layout: { columns: [], widths: [{ column: 'ip', px: 200 }] } });
    expect(fleet.layout).toEqual({ columns: ['name', 'ip'], widths: [{ column: 'ip', px: 200 }] });
  });
});

describe('nodes chosen together', () => {
  let rows: Rows;
  let fleet: FleetState;
  const chosen = () => [...fleet.choice.rows.keys()];

  beforeEach(async () => {
    rows = new Rows();
    rows.keys = Array.from({ length: 2500 }, (_, i) => `n${i}`);
    const host = rows.host();
    fleet = new FleetState(host, chrome, new BookState(host, chrome));
    await fleet.open();
    await settled();
  });

  it('are a range from where it began, in either direction, whatever the window holds', async () => {
    fleet.choice.begin(3);
    await fleet.choice.extend(3, 5);
    expect(chosen()).toEqual(['n3', 'n4', 'n5']);
    await fleet.choice.extend(5, 1);
    expect(chosen()).toEqual(['n1', 'n2', 'n3']);
    await fleet.choice.extend(1, 700);
    expect([chosen().length, chosen()[0], chosen().at(-1)]).toEqual([698, 'n3', 'n700']);
  });

  it('are added and taken out one by one, beginning with the one selected alone', () => {
    const row = (key: string) => ({ key }) as NodeRow;
    fleet.choice.toggle(row('n4'), 4, row('n0'));
    fleet.choice.toggle(row('n9'), 9, row('n4'));
    fleet.choice.toggle(row('n4'), 4, row('n9'));
    expect(chosen()).toEqual(['n0', 'n9']);
  });

  it('stay chosen while the list moves, and go with another filter', async () => {
    fleet.choice.begin(1);
    await fleet.choice.extend(1, 2);
    rows.move(fleet, ['x', 'n2', 'n1']);
    await settled();
    expect(chosen()).toEqual(['n1', 'n2']);
    fleet.setText('x');
    expect(chosen()).toEqual([]);
  });

  it('are at most a thousand, and that is told', async () => {
    await fleet.choice.all(rows.keys.length);
    expect([chosen().length, fleet.choice.full]).toEqual([1000, true]);
    fleet.choice.begin(2000);
    await fleet.choice.extend(2000, 0);
    expect([chosen().length, chosen().at(-1), fleet.choice.full]).toEqual([1000, 'n2000', true]);
  });

  it('become favourites together', async () => {
    fleet.choice.begin(0);
    await fleet.choice.extend(0, 2);
    fleet.setFavourites([...fleet.choice.rows.values()], true);
    await settled();
    expect(rows.changes).toEqual([{ change: 'favourite', nodes: ['n0', 'n1', 'n2'], on: true }]);
    expect([...fleet.choice.rows.values()].map((row) => row.favourite)).toEqual([true, true, true]);
  });
});
