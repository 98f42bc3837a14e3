import { describe, expect, it } from 'vitest';

import { isDrawn } from '../src/terminal/boxdrawing';
import { colorsOf, contrast, readable, themeFrom } from '../src/terminal/colors';
import { Attr, type CellStyle, type Span } from '../src/terminal/frame';
import { arrange, cellAt, gridFor } from '../src/terminal/metrics';
import { ColorCache, layRow } from '../src/terminal/rowpaint';
import { ruleRects, type Rect } from '../src/terminal/rules';

const tokens: Record<string, string> = {
  '--t-fg': '#d5dae0', '--t-bg': ' #0f1114', '--t-dim': '#868f9b', '--t-cursor': '#93abff', '--t-cursor-text': '#0f1114', '--t-sel': '#2c3a6b',
  '--t-link': '#93abff', '--t-hit': '#5a4a12', '--t-hit-now': '#e9b53c', '--t-hit-now-text': '#14110a', '--t-1': '#ff8577', '--t-4': '#82a7ff',
};
const theme = themeFrom((name) => tokens[name] ?? '#808080');
const style = (over: Partial<CellStyle> = {}): CellStyle => ({ fg: 0, bg: 0, underline: 0, attrs: 0, ...over });
const indexed = (index: number) => (1 << 24) | index;

describe('colours', () => {
  it('come from tokens, then the standard cube and greys', () => {
    expect(theme.palette).toHaveLength(256);
    expect(theme.palette[1]).toBe(0xff8577);
    expect(theme.palette[16]).toBe(0x000000);
    expect(theme.palette[196]).toBe(0xff0000);
    expect(theme.palette[231]).toBe(0xffffff);
    expect(theme.palette[232]).toBe(0x080808);
    expect(theme.palette[255]).toBe(0xeeeeee);
  });

  it('swap for inverse, with defaults taken from the theme', () => {
    expect(colorsOf(style({ attrs: Attr.inverse }), theme)).toMatchObject({ fg: theme.bg, bg: theme.fg });
  });

  it('dim default text by its token', () => {
    expect(colorsOf(style({ attrs: Attr.dim }), theme).fg).toBe(theme.dim);
  });

  it('are moved until they can be read, but not for inverse blocks', () => {
    const dark = (2 << 24) | 0x101214;
    expect(contrast(colorsOf(style({ fg: dark }), theme).fg, theme.bg)).toBeGreaterThanOrEqual(3);
    expect(colorsOf(style({ fg: dark, attrs: Attr.inverse }), theme).bg).toBe(0x101214);
    expect(contrast(readable(0x777777, 0x808080), 0x808080)).toBeGreaterThanOrEqual(3);
  });

  it('give underlines their own colour', () => {
    expect(colorsOf(style({ underline: (2 << 24) | 0x123456 }), theme).underline).toBe(0x123456);
    expect(colorsOf(style({ fg: indexed(1) }), theme).underline).toBe(0xff8577);
  });
});

describe('layRow', () => {
  const span = (text: string, col: number, cells: number, over: Partial<CellStyle> = {}): Span => ({ text, col, cells, style: style(over) });
  const lay = (spans: Span[], overlays: Parameters<typeof layRow>[1] = [], cursor: Parameters<typeof layRow>[2] = null) => layRow(spans, overlays, cursor, new ColorCache(theme));

  it('places wide characters on every second cell and clusters as one', () => {
    const paint = lay([span('東京', 2, 4, { attrs: Attr.wide }), span('e\u0301', 6, 1, { attrs: Attr.cluster })]);
    expect(paint.glyphs.map(({ text, col, cells }) => [text, col, cells])).toEqual([['東', 2, 2], ['京', 4, 2], ['e\u0301', 6, 1]]);
  });

  it('draws nothing for spaces and hidden text', () => {
    expect(lay([span('a b', 0, 3), span('secret', 3, 6, { attrs: Attr.hidden })]).glyphs.map((glyph) => glyph.text)).toEqual(['a', 'b']);
  });

  it('lays selection over backgrounds and keeps text colours', () => {
    const paint = lay([span('ab', 0, 2, { bg: indexed(4) })], [{ row: 0, start: 1, end: 2, kind: 'selection' }]);
    expect(paint.fills).toEqual([{ col: 0, cells: 2, color: 0x82a7ff }, { col: 1, cells: 1, color: theme.selection }]);
    expect(paint.glyphs[0]?.color).toBe(paint.glyphs[1]?.color);
  });

  it('gives the current hit its own text colour', () => {
    const paint = lay([span('ab', 0, 2)], [{ row: 0, start: 1, end: 2, kind: 'current_hit' }]);
    expect(paint.glyphs.map((glyph) => glyph.color)).toEqual([theme.fg, theme.hitNowText]);
  });

  it('fills a block cursor over both cells of a wide character', () => {
    const paint = lay([span('東', 0, 2, { attrs: Attr.wide })], [], { row: 0, col: 0, width: 2, shape: 'block' });
    expect(paint.fills).toEqual([{ col: 0, cells: 2, color: theme.cursor }]);
    expect(paint.glyphs[0]?.color).toBe(theme.cursorText);
    expect(paint.cursor).toBeNull();
  });

  it('outlines other cursors and keeps their text', () => {
    const paint = lay([span('x', 0, 1)], [], { row: 0, col: 0, width: 1, shape: 'hollow' });
    expect(paint.cursor?.shape).toBe('hollow');
    expect(paint.glyphs[0]?.color).toBe(theme.fg);
  });

  it('turns every underline style into rectangles inside the row', () => {
    const metrics = arrange('mono', 13, 1, 7.8, 13, 3);
    for (const kind of [1, 2, 3, 4, 5]) {
      const rects: Rect[] = [];
      ruleRects(1, lay([span('word', 1, 4, { attrs: kind << Attr.underlineShift })]), metrics, rects);
      expect(rects.length).toBeGreaterThan(0);
      for (const rect of rects) {
        expect(rect.y).toBeGreaterThanOrEqual(metrics.cellH);
        expect(rect.y + rect.h).toBeLessThanOrEqual(2 * metrics.cellH);
        expect(rect.x + rect.w).toBeLessThanOrEqual(5 * metrics.cellW);
      }
    }
  });
});

describe('metrics', () => {
  const metrics = arrange('mono', 26, 2, 15.6, 26, 6);

  it('are whole device pixels', () => {
    expect([metrics.cellW, metrics.cellH, metrics.baseline].every(Number.isInteger)).toBe(true);
    expect(metrics.cssCellW).toBe(8);
    expect(metrics.cellH).toBe(38);
  });

  it('give a grid within what the host takes', () => {
    expect(gridFor(820, 766, metrics)).toEqual({ cols: 100, rows: 40 });
    expect(gridFor(0, 0, metrics)).toEqual({ cols: 2, rows: 1 });
    expect(gridFor(1e6, 1e6, metrics)).toEqual({ cols: 1000, rows: 500 });
  });

  it('find the cell under the pointer and its half', () => {
    expect(cellAt(13, 20, metrics, 80, 24)).toEqual({ col: 1, row: 1, rightHalf: true });
    expect(cellAt(-5, 9999, metrics, 80, 24)).toEqual({ col: 0, row: 23, rightHalf: false });
  });
});

describe('isDrawn', () => {
  it('claims lines, blocks, braille and Powerline, and nothing else', () => {
    for (const text of ['─', '╬', '▞', '⣿', '\ue0b0']) expect(isDrawn(text)).toBe(true);
    for (const text of ['a', '東', '■', '─\u0301']) expect(isDrawn(text)).toBe(false);
  });
});
