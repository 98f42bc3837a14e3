/** The grid's measures. All but the `css` ones are whole device pixels, so that cells meet without seams. */
export interface Metrics {
  cellW: number;
  cellH: number;
  /** From the top of a cell to the baseline. */
  baseline: number;
  /** Text size in device pixels. */
  fontPx: number;
  family: string;
  dpr: number;
  /** Thickness of a light line. */
  line: number;
  cssCellW: number;
  cssCellH: number;
}

/** Room around the grid in CSS pixels. */
export const PAD_X = 10;
export const PAD_TOP = 6;

const LINE_HEIGHT = 1.45;

/** Measures a mono family at a size; `dpr` is the device pixel ratio. */
export function measure(family: string, cssPx: number, dpr: number): Metrics {
  const fontPx = cssPx * dpr;
  const context = document.createElement('canvas').getContext('2d');
  let advance = fontPx * 0.6;
  let ascent = fontPx * 0.8;
  let descent = fontPx * 0.2;
  if (context) {
    context.font = `${fontPx}px ${family}`;
    const sample = context.measureText('0');
    advance = sample.width || advance;
    ascent = sample.fontBoundingBoxAscent || ascent;
    descent = sample.fontBoundingBoxDescent || descent;
  }
  return arrange(family, fontPx, dpr, advance, ascent, descent);
}

/** Rounds measured text to a grid of whole device pixels, the text centred in its line. */
export function arrange(family: string, fontPx: number, dpr: number, advance: number, ascent: number, descent: number): Metrics {
  const cellW = Math.max(1, Math.round(advance));
  const cellH = Math.max(1, Math.round(fontPx * LINE_HEIGHT));
  const baseline = Math.round((cellH - (ascent + descent)) / 2 + ascent);
  return {
    cellW, cellH, baseline, fontPx, family, dpr,
    line: Math.max(1, Math.round(fontPx / 14)),
    cssCellW: cellW / dpr,
    cssCellH: cellH / dpr,
  };
}

/** The grid that fits a box in CSS pixels, within what the host accepts. */
export function gridFor(widthPx: number, heightPx: number, metrics: Metrics): { cols: number; rows: number } {
  const cols = Math.floor((widthPx - 2 * PAD_X) / metrics.cssCellW);
  const rows = Math.floor((heightPx - PAD_TOP) / metrics.cssCellH);
  return { cols: Math.min(1000, Math.max(2, cols)), rows: Math.min(500, Math.max(1, rows)) };
}

/** The cell under a point of the grid, in CSS pixels from its corner; clamped to the grid. */
export function cellAt(x: number, y: number, metrics: Metrics, cols: number, rows: number): { col: number; row: number; rightHalf: boolean } {
  const at = x / metrics.cssCellW;
  const col = Math.min(cols - 1, Math.max(0, Math.floor(at)));
  const row = Math.min(rows - 1, Math.max(0, Math.floor(y / metrics.cssCellH)));
  return { col, row, rightHalf: at - col >= 0.5 };
}
