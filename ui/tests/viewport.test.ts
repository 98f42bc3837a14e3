import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { chosenColumns, columnsFor, DEFAULT_COLUMNS, moved, resized, sameColumns, template, withColumn } from '../src/fleet/columns';
import { covers, pageRows, scrollToShow, stretchFor, windowFor, WINDOW_LEN } from '../src/fleet/viewport';

describe('stretchFor', () => {
  it('covers the viewport for any scroll position', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 2000 }), fc.constantFrom(24, 28, 36), fc.nat(4_000_000), (count, viewport, row, scroll) => {
        const { first, count: painted, top, height } = stretchFor(scroll, viewport, row, count);
        expect(height).toBe(count * row);
        expect(top).toBe(first * row);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(first + painted).toBeLessThanOrEqual(count);
        const at = Math.max(0, Math.min(scroll, height - viewport));
        expect(top).toBeLessThanOrEqual(at);
        expect(top + painted * row).toBeGreaterThanOrEqual(Math.min(height, at + viewport));
      }),
    );
  });

  it('keeps the pool the same size while scrolling', () => {
    const sizes = new Set([0, 280, 5000, 27_000].map((scroll) => stretchFor(scroll, 700, 28, 1284).count));
    expect(sizes.size).toBe(1);
  });
});

describe('scrollToShow', () => {
  it('moves only as far as needed', () => {
    expect(scrollToShow(5, 0, 280, 28)).toBe(0);
    expect(scrollToShow(10, 0, 280, 28)).toBe(28);
    expect(scrollToShow(2, 280, 280, 28)).toBe(56);
  });

  it('pages by what is seen, less one row', () => {
    expect(pageRows(280, 28)).toBe(9);
    expect(pageRows(10, 28)).toBe(1);
  });
});

describe('windows', () => {
  const view = { view: 'v', version: 3, matched: 1284, total: 1284, issues: [] };

  it('ask for at most what the host gives', () => {
    expect(windowFor(0, 60, 1284)).toEqual({ offset: 0, len: WINDOW_LEN });
    expect(windowFor(1230, 1284, 1284)).toEqual({ offset: 1084, len: WINDOW_LEN });
    expect(windowFor(0, 60, 12)).toEqual({ offset: 0, len: WINDOW_LEN });
  });

  it('cover what they ask for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(100_000), fc.integer({ min: 1, max: 120 }), (matched, at, span) => {
        const first = Math.min(at, matched - 1);
        const last = Math.min(matched, first + span);
        const { offset, len } = windowFor(first, last, matched);
        expect(offset).toBeLessThanOrEqual(first);
        expect(offset + len).toBeGreaterThanOrEqual(last);
      }),
    );
  });

  it('of another view cover nothing', () => {
    const held = { view: 'other', version: 3, offset: 0, rows: Array.from({ length: 200 }) as never[] };
    expect(covers(held, view, 0, 50)).toBe(false);
    expect(covers({ ...held, view: 'v' }, view, 0, 50)).toBe(true);
    expect(covers({ ...held, view: 'v' }, view, 190, 250)).toBe(false);
    expect(covers({ ...held, view: 'v', rows: [] }, { ...view, matched: 0 }, 0, 0)).toBe(true);
  });
});

describe('columns', () => {
  it('all fit the table of a 1440 px window', () => {
    expect(columnsFor(988)).toHaveLength(DEFAULT_COLUMNS.length);
  });

  it('drop ping, IP, platform, agent and kind, in this order', () => {
    expect(columnsFor(960).map((column) => column.id)).not.toContain('ping');
    expect(columnsFor(960).map((column) => column.id)).toContain('ip');
    expect(columnsFor(100).map((column) => column.id)).toEqual(['readiness', 'name', 'node_id', 'account', 'tier']);
  });

  it('give what is left over to the columns that grow', () => {
    expect(template(columnsFor(100))).toBe('28px minmax(102px, 0.35fr) 144px minmax(180px, 1fr) 80px');
  });
});

describe('layouts of columns', () => {
  const plain = { columns: [], widths: [] };

  it('always begins with readiness and name and knows names of the command line', () => {
    expect(chosenColumns(plain)).toEqual(DEFAULT_COLUMNS);
    expect(chosenColumns({ columns: ['agent_version', 'name', 'ip', 'colour', 'ip'], widths: [] })).toEqual(['readiness', 'name', 'agent', 'ip']);
  });

  it('shows, hides and moves columns but not the first two', () => {
    const added = withColumn(plain, 'vpc_id', true);
    expect(added.columns.at(-1)).toBe('vpc_id');
    expect(withColumn(added, 'vpc_id', false).columns).toEqual(DEFAULT_COLUMNS);
    expect(moved(added, 'vpc_id', 'node_id').columns.slice(0, 4)).toEqual(['readiness', 'name', 'vpc_id', 'node_id']);
    expect(moved(added, 'vpc_id', -1).columns.slice(-2)).toEqual(['vpc_id', 'ping']);
    expect(moved(added, 'vpc_id', 1)).toBe(added);
    expect(moved(plain, 'node_id', -1)).toBe(plain);
    expect(moved(plain, 'name', 1)).toBe(plain);
    expect(sameColumns(plain, { columns: [...DEFAULT_COLUMNS], widths: [{ column: 'name', px: 200 }] })).toBe(true);
    expect(sameColumns(plain, added)).toBe(false);
  });

  it('keeps given widths within bounds and gives the own width back', () => {
    const wide = resized(plain, 'name', 5000);
    expect(wide.widths).toEqual([{ column: 'name', px: 600 }]);
    expect(columnsFor(2000, wide).find((column) => column.id === 'name')).toEqual({ id: 'name', min: 600, grow: 0 });
    expect(resized(wide, 'name', null).widths).toEqual([]);
  });

  it('drops what was added before anything else', () => {
    const added = withColumn(withColumn(plain, 'vpc_id', true), 'tags', true);
    const ids = (width: number) => columnsFor(width, added).map((column) => column.id);
    expect(ids(2000)).toContain('tags');
    expect(ids(1150)).not.toContain('tags');
    expect(ids(1150)).toContain('vpc_id');
    expect(ids(1000)).toEqual(DEFAULT_COLUMNS);
  });
});
