import { drawCell, isDrawn } from './boxdrawing';
import { css, type Rgb } from './colors';
import type { Metrics } from './metrics';

/** Where a drawn cluster lies in the atlas, in device pixels. */
export interface Slot {
  x: number;
  y: number;
  w: number;
  h: number;
  /** How far the slot begins left of its cell, for overhanging glyphs. */
  pad: number;
  /** Drawn in its own colours (emoji), not as coverage. */
  colored: boolean;
}

const SIZE = 2048;
/** Engines thicken light text and thin dark text; a middle grey gives every colour the same weight. */
const COVERAGE = '#808080';
/** Clusters that come in their own colours. */
const EMOJI = /\p{Emoji_Presentation}|\uFE0F/u;

/**
 * Clusters rasterised once and looked up by text, style and (for painters that cannot tint) colour.
 * When it is full it starts over; `generation` tells painters that older slots are gone.
 */
export class GlyphAtlas {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  generation = 0;
  /** Called with each slot just drawn. */
  onDrawn: ((slot: Slot) => void) | null = null;

  #slots = new Map<string, Slot>();
  #x = 0;
  #y = 0;
  readonly #metrics: Metrics;
  readonly #pad: number;

  constructor(metrics: Metrics, readback: boolean) {
    this.#metrics = metrics;
    this.#pad = Math.ceil(metrics.cellW / 3);
    this.canvas = document.createElement('canvas');
    this.canvas.width = SIZE;
    this.canvas.height = SIZE;
    const context = this.canvas.getContext('2d', { willReadFrequently: readback });
    if (!context) throw new Error('the web view gives no 2D canvas');
    this.context = context;
  }

  get size(): number {
    return SIZE;
  }

  /** `color` null draws coverage only, for painters that tint. */
  slot(text: string, cells: number, bold: boolean, italic: boolean, color: Rgb | null): Slot {
    const key = `${bold ? 'b' : ''}${italic ? 'i' : ''}${cells}${color ?? ''}|${text}`;
    const known = this.#slots.get(key);
    if (known) return known;
    const slot = this.#place(cells);
    slot.colored = EMOJI.test(text);
    this.#draw(text, cells, bold, italic, color, slot);
    this.#slots.set(key, slot);
    this.onDrawn?.(slot);
    return slot;
  }

  #place(cells: number): Slot {
    const { cellW, cellH } = this.#metrics;
    const w = cellW * cells + 2 * this.#pad;
    if (this.#x + w > SIZE) {
      this.#x = 0;
      this.#y += cellH + 1;
    }
    if (this.#y + cellH > SIZE) this.#restart();
    const slot = { x: this.#x, y: this.#y, w, h: cellH, pad: this.#pad, colored: false };
    this.#x += w + 1;
    return slot;
  }

  #restart(): void {
    this.#slots.clear();
    this.#x = 0;
    this.#y = 0;
    this.generation += 1;
    this.context.clearRect(0, 0, SIZE, SIZE);
  }

  #draw(text: string, cells: number, bold: boolean, italic: boolean, color: Rgb | null, slot: Slot): void {
    const { cellW, cellH, baseline, fontPx, family, line } = this.#metrics;
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(slot.x, slot.y, slot.w, slot.h);
    context.clip();
    context.fillStyle = context.strokeStyle = COVERAGE;
    const x = slot.x + slot.pad;
    if (isDrawn(text)) {
      drawCell(context, text, { x, y: slot.y, w: cellW * cells, h: cellH, line });
    } else {
      context.font = `${italic ? 'italic ' : ''}${bold ? '700 ' : ''}${fontPx}px ${family}`;
      context.textBaseline = 'alphabetic';
      const room = cellW * cells;
      const { width } = context.measureText(text);
      // Fallback glyphs are scaled down to their cells, never up; a wide one that is narrower is centred.
      if (width > room + cellW / 4) {
        const scale = room / width;
        context.translate(x, slot.y + baseline);
        context.scale(scale, scale);
        context.fillText(text, 0, 0);
      } else {
        const shift = cells > 1 ? Math.max(0, (room - width) / 2) : 0;
        context.fillText(text, x + shift, slot.y + baseline);
      }
    }
    if (color !== null && !slot.colored) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.globalCompositeOperation = 'source-in';
      context.fillStyle = css(color);
      context.fillRect(slot.x, slot.y, slot.w, slot.h);
    }
    context.restore();
  }
}
