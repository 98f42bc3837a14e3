import { GlyphAtlas } from './atlas';
import { css, type TerminalTheme } from './colors';
import type { Metrics } from './metrics';
import type { Painter } from './painter';
import type { RowPaint } from './rowpaint';
import { ruleRects, type Rect } from './rules';

/** Paints with a plain 2D canvas: the better choice where GL is software. */
export class Canvas2dPainter implements Painter {
  readonly kind = 'canvas2d';
  readonly canvas = document.createElement('canvas');
  readonly #context: CanvasRenderingContext2D;
  #atlas: GlyphAtlas | null = null;
  #metrics: Metrics | null = null;
  #background = '#000';

  constructor() {
    const context = this.canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('the web view gives no 2D canvas');
    this.#context = context;
  }

  configure(metrics: Metrics, theme: TerminalTheme, cols: number, rows: number): void {
    const same = this.#metrics;
    if (!same || same.fontPx !== metrics.fontPx || same.family !== metrics.family || same.cellW !== metrics.cellW) {
      this.#atlas = new GlyphAtlas(metrics, false);
    }
    this.#metrics = metrics;
    this.#background = css(theme.bg);
    const [width, height] = [cols * metrics.cellW, rows * metrics.cellH];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.#context.fillStyle = this.#background;
    this.#context.fillRect(0, 0, width, height);
  }

  paint(rows: ReadonlyMap<number, RowPaint>): void {
    const metrics = this.#metrics;
    const atlas = this.#atlas;
    if (!metrics || !atlas) return;
    const { cellW, cellH } = metrics;
    const context = this.#context;
    for (const [row, paint] of rows) {
      const y = row * cellH;
      context.fillStyle = this.#background;
      context.fillRect(0, y, this.canvas.width, cellH);
      for (const fill of paint.fills) {
        context.fillStyle = css(fill.color);
        context.fillRect(fill.col * cellW, y, fill.cells * cellW, cellH);
      }
      for (const glyph of paint.glyphs) {
        const slot = atlas.slot(glyph.text, glyph.cells, glyph.bold, glyph.italic, glyph.color);
        context.drawImage(atlas.canvas, slot.x, slot.y, slot.w, slot.h, glyph.col * cellW - slot.pad, y, slot.w, slot.h);
      }
      const rects: Rect[] = [];
      ruleRects(row, paint, metrics, rects);
      for (const rect of rects) {
        context.fillStyle = css(rect.color);
        context.fillRect(rect.x, rect.y, rect.w, rect.h);
      }
    }
  }

  dispose(): void {
    this.canvas.remove();
  }
}
