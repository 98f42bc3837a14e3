import type { FleetViewState, FleetWindow } from '../host/types';

/** Rows painted beyond each edge of the viewport. */
export const OVERSCAN = 20;
/** Most rows one window request may ask for. */
export const WINDOW_LEN = 200;

/** What of a list of `count` fixed rows is to be painted. */
export interface Stretch {
  /** First row to paint. */
  first: number;
  /** How many rows to paint. */
  count: number;
  /** Offset of the painted rows in pixels. */
  top: number;
  /** Height of the whole list in pixels. */
  height: number;
}

/** Rows to paint for a scroll position; a pool of constant size as long as the viewport keeps its height. */
export function stretchFor(scrollTop: number, viewportPx: number, rowPx: number, count: number): Stretch {
  const height = count * rowPx;
  const pool = Math.min(count, Math.ceil(viewportPx / rowPx) + 1 + 2 * OVERSCAN);
  const top = Math.max(0, Math.min(scrollTop, height - viewportPx));
  const first = Math.max(0, Math.min(Math.floor(top / rowPx) - OVERSCAN, count - pool));
  return { first, count: pool, top: first * rowPx, height };
}

/** The scroll position that shows row `index`, moving as little as possible. */
export function scrollToShow(index: number, scrollTop: number, viewportPx: number, rowPx: number): number {
  const top = index * rowPx;
  if (top < scrollTop) return top;
  if (top + rowPx > scrollTop + viewportPx) return top + rowPx - viewportPx;
  return scrollTop;
}

/** Whole rows a page key moves by. */
export function pageRows(viewportPx: number, rowPx: number): number {
  return Math.max(1, Math.floor(viewportPx / rowPx) - 1);
}

/** Whether a window held has all rows from `first` to `last` that the view has. */
export function covers(held: FleetWindow | null, view: FleetViewState, first: number, last: number): boolean {
  if (held === null || held.view !== view.view) return false;
  const end = Math.min(last, view.matched);
  return held.offset <= Math.max(0, Math.min(first, end)) && held.offset + held.rows.length >= end;
}

/** The request that covers `first` to `last` with room on both sides. */
export function windowFor(first: number, last: number, matched: number): { offset: number; len: number } {
  const middle = Math.floor((first + last) / 2);
  const offset = Math.max(0, Math.min(middle - WINDOW_LEN / 2, matched - WINDOW_LEN));
  return { offset, len: WINDOW_LEN };
}
