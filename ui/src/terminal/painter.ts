import type { Metrics } from './metrics';
import type { CursorLook, RowPaint } from './rowpaint';
import { layRow, ColorCache } from './rowpaint';
import type { Screen } from './screen';
import type { TerminalTheme } from './colors';

/** Draws laid-out rows onto one canvas. */
export interface Painter {
  readonly kind: 'webgl2' | 'canvas2d';
  readonly canvas: HTMLCanvasElement;
  /** A new grid, size or theme; everything is painted again afterwards. */
  configure(metrics: Metrics, theme: TerminalTheme, cols: number, rows: number): void;
  /** Draws the rows given; the others stay as they are. */
  paint(rows: ReadonlyMap<number, RowPaint>): void;
  dispose(): void;
}

/** Lays out the rows that changed and hands them to a painter. */
export class Scene {
  #cache: ColorCache | null = null;

  /** Forgets resolved colours when the theme changes. */
  rows(screen: Screen, dirty: ReadonlySet<number>, cursor: CursorLook | null, theme: TerminalTheme): Map<number, RowPaint> {
    if (this.#cache?.theme !== theme) this.#cache = new ColorCache(theme);
    const laid = new Map<number, RowPaint>();
    for (const row of dirty) {
      const overlays = screen.overlays.filter((one) => one.row === row);
      laid.set(row, layRow(screen.lines[row] ?? [], overlays, cursor?.row === row ? cursor : null, this.#cache));
    }
    return laid;
  }
}
