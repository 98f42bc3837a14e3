import { Attr, type CursorShape, type FrameOverlay, type Span } from './frame';
import { colorsOf, type Rgb, type RunColors, type TerminalTheme } from './colors';
import { isDrawn } from './boxdrawing';

/** A filled stretch of cells. */
export interface Fill { col: number; cells: number; color: Rgb }
/** One cluster to draw. */
export interface Glyph { col: number; cells: number; text: string; color: Rgb; bold: boolean; italic: boolean }
export type LineKind = 'single' | 'double' | 'curly' | 'dotted' | 'dashed' | 'strike';
export interface Rule { col: number; cells: number; color: Rgb; kind: LineKind }

/** A row as a painter draws it: fills, then glyphs, then rules, then the cursor's outline. */
export interface RowPaint {
  fills: Fill[];
  glyphs: Glyph[];
  rules: Rule[];
  cursor: { col: number; cells: number; shape: CursorShape; color: Rgb } | null;
}

/** The cursor where it is to be drawn. */
export interface CursorLook { row: number; col: number; width: number; shape: CursorShape }

const UNDERLINES: readonly (LineKind | null)[] = [null, 'single', 'double', 'curly', 'dotted', 'dashed'];

/** Resolves styles once per theme; a screen has few of them. */
export class ColorCache {
  #known = new Map<string, RunColors>();

  constructor(readonly theme: TerminalTheme) {}

  of(span: Span): RunColors {
    const { fg, bg, underline, attrs } = span.style;
    const key = `${fg} ${bg} ${underline} ${attrs & (Attr.dim | Attr.inverse)}`;
    let colors = this.#known.get(key);
    if (!colors) {
      if (this.#known.size > 4096) this.#known.clear();
      colors = colorsOf(span.style, this.theme);
      this.#known.set(key, colors);
    }
    return colors;
  }
}

/** Lays out one row. */
export function layRow(spans: readonly Span[], overlays: readonly FrameOverlay[], cursor: CursorLook | null, cache: ColorCache): RowPaint {
  const { theme } = cache;
  const paint: RowPaint = { fills: [], glyphs: [], rules: [], cursor: null };
  const now = overlays.find((one) => one.kind === 'current_hit');
  const block = cursor?.shape === 'block' ? cursor : null;

  for (const span of spans) {
    const { fg, bg, underline } = cache.of(span);
    const { attrs } = span.style;
    if (bg !== null) paint.fills.push({ col: span.col, cells: span.cells, color: bg });
    if (attrs & Attr.hidden) continue;
    const line = UNDERLINES[(attrs & Attr.underlineMask) >> Attr.underlineShift] ?? null;
    const kind = line ?? (attrs & Attr.hyperlink ? 'dotted' : null);
    if (kind) paint.rules.push({ col: span.col, cells: span.cells, color: underline, kind });
    if (attrs & Attr.strike) paint.rules.push({ col: span.col, cells: span.cells, color: fg, kind: 'strike' });
    clusters(span, (text, col, cells) => {
      if (text === ' ') return;
      let color = fg;
      if (now && col >= now.start && col < now.end) color = theme.hitNowText;
      if (block && col >= block.col && col < block.col + block.width) color = theme.cursorText;
      paint.glyphs.push({ col, cells, text, color, bold: (attrs & Attr.bold) !== 0, italic: (attrs & Attr.italic) !== 0 && !isDrawn(text) });
    });
  }
  for (const one of overlays) {
    const color = one.kind === 'selection' ? theme.selection : one.kind === 'hit' ? theme.hit : theme.hitNow;
    if (one.end > one.start) paint.fills.push({ col: one.start, cells: one.end - one.start, color });
  }
  if (block) paint.fills.push({ col: block.col, cells: block.width, color: theme.cursor });
  else if (cursor) paint.cursor = { col: cursor.col, cells: cursor.width, shape: cursor.shape, color: theme.cursor };
  return paint;
}

/** Calls back for each cluster of a span with its place. */
export function clusters(span: Span, each: (text: string, col: number, cells: number) => void): void {
  if (span.style.attrs & Attr.cluster) {
    each(span.text, span.col, span.cells);
    return;
  }
  const step = span.style.attrs & Attr.wide ? 2 : 1;
  const end = span.col + span.cells;
  let col = span.col;
  for (const text of span.text) {
    if (col >= end) return;
    each(text, col, step);
    col += step;
  }
}
