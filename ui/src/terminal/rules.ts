import type { Metrics } from './metrics';
import type { RowPaint, Rule } from './rowpaint';
import type { Rgb } from './colors';

/** A rectangle in device pixels of the grid. */
export interface Rect { x: number; y: number; w: number; h: number; color: Rgb }

/** Underlines, strikes and cursor outlines of a row as rectangles. */
export function ruleRects(row: number, paint: RowPaint, metrics: Metrics, out: Rect[]): void {
  for (const rule of paint.rules) rectsOf(row, rule, metrics, out);
  if (paint.cursor) cursorRects(row, paint.cursor, metrics, out);
}

function rectsOf(row: number, rule: Rule, { cellW, cellH, baseline, line }: Metrics, out: Rect[]): void {
  const x = rule.col * cellW;
  const w = rule.cells * cellW;
  const top = row * cellH;
  const { color } = rule;
  const y = Math.min(top + baseline + 2 * line, top + cellH - line);
  const pieces = (length: number, gap: number, drop: (from: number) => number) => {
    for (let at = 0; at < w; at += length + gap) out.push({ x: x + at, y: y + drop(at), w: Math.min(length, w - at), h: line, color });
  };
  switch (rule.kind) {
    case 'single':
      out.push({ x, y, w, h: line, color });
      break;
    case 'double': {
      const lower = Math.min(y + 2 * line, top + cellH - line);
      out.push({ x, y: lower - 2 * line, w, h: line, color }, { x, y: lower, w, h: line, color });
      break;
    }
    case 'dotted':
      pieces(line, line, () => 0);
      break;
    case 'dashed':
      pieces(Math.max(2, Math.round(cellW * 0.5)), Math.max(1, Math.round(cellW * 0.25)), () => 0);
      break;
    case 'curly': {
      // A wave of short steps, two pixels high, that repeats with every cell so that runs join.
      const period = cellW;
      const room = Math.min(line, top + cellH - line - y);
      pieces(line, 0, (at) => Math.round(Math.sin(((at % period) / period) * 2 * Math.PI) * line * 0.9) + Math.min(0, room));
      break;
    }
    case 'strike':
      out.push({ x, y: top + Math.round(cellH * 0.52), w, h: line, color });
      break;
  }
}

function cursorRects(row: number, cursor: NonNullable<RowPaint['cursor']>, { cellW, cellH, dpr, line }: Metrics, out: Rect[]): void {
  const x = cursor.col * cellW;
  const y = row * cellH;
  const w = cursor.cells * cellW;
  const { color } = cursor;
  const thick = Math.max(1, Math.round(2 * dpr));
  if (cursor.shape === 'bar') out.push({ x, y, w: thick, h: cellH, color });
  else if (cursor.shape === 'underline') out.push({ x, y: y + cellH - thick, w, h: thick, color });
  else {
    const edge = Math.max(1, Math.min(line, Math.round(dpr)));
    out.push(
      { x, y, w, h: edge, color }, { x, y: y + cellH - edge, w, h: edge, color },
      { x, y, w: edge, h: cellH, color }, { x: x + w - edge, y, w: edge, h: cellH, color },
    );
  }
}
