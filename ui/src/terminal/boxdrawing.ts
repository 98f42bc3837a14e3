/** Weights of U+2500 to U+257F as left, up, right, down: 0 none, 1 light, 2 heavy, 3 double; `....` is drawn apart. */
const BOX = [
  '1010 2020 0101 0202 .... .... .... .... .... .... .... .... 0011 0021 0012 0022',
  '1001 2001 1002 2002 0110 0120 0210 0220 1100 2100 1200 2200 0111 0121 0211 0112',
  '0212 0221 0122 0222 1101 2101 1201 1102 1202 2201 2102 2202 1011 2011 1021 2021',
  '1012 2012 1022 2022 1110 2110 1120 2120 1210 2210 1220 2220 1111 2111 1121 2121',
  '1211 1112 1212 2211 1221 2112 1122 2221 2122 2212 1222 2222 .... .... .... ....',
  '3030 0303 0031 0013 0033 3001 1003 3003 0130 0310 0330 3100 1300 3300 0131 0313',
  '0333 3101 1303 3303 3031 1013 3033 3130 1310 3330 3131 1313 3333 .... .... ....',
  '.... .... .... .... 1000 0100 0010 0001 2000 0200 0020 0002 1020 0102 2010 0201',
].flatMap((line) => line.split(' '));

/** A cell to draw into, in device pixels. */
export interface CellBox {
  x: number;
  y: number;
  w: number;
  h: number;
  /** Thickness of a light line. */
  line: number;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Whether the renderer draws this character itself, so that it fills the cell without seams. */
export function isDrawn(cluster: string): boolean {
  const cp = cluster.codePointAt(0) ?? 0;
  if (cluster.length !== String.fromCodePoint(cp).length) return false;
  return (cp >= 0x2500 && cp <= 0x259f) || (cp >= 0x2800 && cp <= 0x28ff) || (cp >= 0xe0b0 && cp <= 0xe0b3);
}

/** Draws one such character with the context's fill and stroke style. */
export function drawCell(context: Context, cluster: string, box: CellBox): void {
  const cp = cluster.codePointAt(0) ?? 0;
  if (cp < 0x2580) drawBox(context, cp, box);
  else if (cp < 0x25a0) drawBlock(context, cp, box);
  else if (cp < 0x2900) drawBraille(context, cp - 0x2800, box);
  else drawPowerline(context, cp, box);
}

function drawBox(context: Context, cp: number, box: CellBox): void {
  const code = BOX[cp - 0x2500] ?? '....';
  if (code !== '....') drawArms(context, [...code].map(Number) as [number, number, number, number], box);
  else if (cp >= 0x256d && cp <= 0x2570) drawArc(context, cp, box);
  else if (cp >= 0x2571 && cp <= 0x2573) drawDiagonals(context, cp, box);
  else drawDashes(context, cp, box);
}

/** Lines from the edges to the middle; double lines keep their gap open at joins. */
function drawArms(context: Context, arms: [number, number, number, number], { x, y, w, h, line }: CellBox): void {
  const heavy = line * 2;
  const gap = line;
  const width = (weight: number) => (weight === 2 ? heavy : line);
  const cx = x + Math.floor((w - line) / 2);
  const cy = y + Math.floor((h - line) / 2);
  const [left, up, right, down] = arms;

  // One light line `offset` pixels off the middle, from the edge to `stop` pixels off the middle.
  const horizontal = (toRight: boolean, offset: number, stop: number, thick: number) => {
    const top = cy + offset - Math.floor((thick - line) / 2);
    if (toRight) context.fillRect(cx + stop, top, x + w - (cx + stop), thick);
    else context.fillRect(x, top, cx + stop + line - x, thick);
  };
  const vertical = (toDown: boolean, offset: number, stop: number, thick: number) => {
    const at = cx + offset - Math.floor((thick - line) / 2);
    if (toDown) context.fillRect(at, cy + stop, thick, y + h - (cy + stop));
    else context.fillRect(at, y, thick, cy + stop + line - y);
  };

  const arm = (weight: number, draw: typeof horizontal, forward: boolean, before: number, after: number, opposite: number) => {
    if (weight === 0) return;
    const near = forward ? gap : -gap;
    if (weight === 3) {
      // Each of the two lines stops at the inner or outer line of a double it meets.
      const stop = (own: number, other: number) => (own === 3 ? near : other === 3 && own === 0 ? -near : 0);
      draw(forward, -gap, stop(before, after), line);
      draw(forward, gap, stop(after, before), line);
      return;
    }
    const crossing = before === 3 || after === 3;
    const stop = !crossing || opposite !== 0 ? 0 : before === 3 && after === 3 ? near : -near;
    const reach = crossing ? 0 : Math.floor((Math.max(width(before || 1), width(after || 1)) - line) / 2);
    draw(forward, 0, crossing ? stop : forward ? -reach : reach, width(weight));
  };
  arm(right, horizontal, true, up, down, left);
  arm(left, horizontal, false, up, down, right);
  arm(down, vertical, true, left, right, up);
  arm(up, vertical, false, left, right, down);
}

function drawDashes(context: Context, cp: number, { x, y, w, h, line }: CellBox): void {
  // Triple and quadruple dashes come in order light horizontal, heavy horizontal, light vertical, heavy vertical.
  const double = cp >= 0x254c;
  const at = double ? cp - 0x254c : (cp - 0x2504) % 4;
  const count = double ? 2 : cp < 0x2508 ? 3 : 4;
  const thick = at % 2 === 1 ? line * 2 : line;
  const upright = at >= 2;
  const length = upright ? h : w;
  const step = length / count;
  const dash = Math.max(1, Math.round(step * 0.6));
  for (let i = 0; i < count; i += 1) {
    const from = Math.round(i * step + (step - dash) / 2);
    if (upright) context.fillRect(x + Math.floor((w - thick) / 2), y + from, thick, dash);
    else context.fillRect(x + from, y + Math.floor((h - thick) / 2), dash, thick);
  }
}

function drawArc(context: Context, cp: number, { x, y, w, h, line }: CellBox): void {
  const cx = x + Math.floor((w - line) / 2) + line / 2;
  const cy = y + Math.floor((h - line) / 2) + line / 2;
  const radius = Math.min(w, h) / 2;
  const toRight = cp === 0x256d || cp === 0x2570;
  const toDown = cp === 0x256d || cp === 0x256e;
  context.lineWidth = line;
  context.lineCap = 'butt';
  context.beginPath();
  context.moveTo(cx, toDown ? y + h : y);
  context.arcTo(cx, cy, toRight ? x + w : x, cy, radius);
  context.lineTo(toRight ? x + w : x, cy);
  context.stroke();
}

function drawDiagonals(context: Context, cp: number, { x, y, w, h, line }: CellBox): void {
  context.lineWidth = line;
  context.beginPath();
  if (cp !== 0x2572) {
    context.moveTo(x + w, y);
    context.lineTo(x, y + h);
  }
  if (cp !== 0x2571) {
    context.moveTo(x, y);
    context.lineTo(x + w, y + h);
  }
  context.stroke();
}

/** Quadrants of U+2596 to U+259F: upper left 1, upper right 2, lower left 4, lower right 8. */
const QUADRANTS = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14];

function drawBlock(context: Context, cp: number, { x, y, w, h }: CellBox): void {
  const eighth = (length: number, n: number) => Math.round((length * n) / 8);
  if (cp === 0x2580) context.fillRect(x, y, w, eighth(h, 4));
  else if (cp <= 0x2588) {
    const tall = eighth(h, cp - 0x2580);
    context.fillRect(x, y + h - tall, w, tall);
  } else if (cp <= 0x258f) context.fillRect(x, y, eighth(w, 0x2590 - cp), h);
  else if (cp === 0x2590) context.fillRect(x + eighth(w, 4), y, w - eighth(w, 4), h);
  else if (cp <= 0x2593) {
    const alpha = context.globalAlpha;
    context.globalAlpha = (alpha * (cp - 0x2590)) / 4;
    context.fillRect(x, y, w, h);
    context.globalAlpha = alpha;
  } else if (cp === 0x2594) context.fillRect(x, y, w, Math.max(1, eighth(h, 1)));
  else if (cp === 0x2595) {
    const wide = Math.max(1, eighth(w, 1));
    context.fillRect(x + w - wide, y, wide, h);
  } else {
    const bits = QUADRANTS[cp - 0x2596] ?? 0;
    const midX = eighth(w, 4);
    const midY = eighth(h, 4);
    if (bits & 1) context.fillRect(x, y, midX, midY);
    if (bits & 2) context.fillRect(x + midX, y, w - midX, midY);
    if (bits & 4) context.fillRect(x, y + midY, midX, h - midY);
    if (bits & 8) context.fillRect(x + midX, y + midY, w - midX, h - midY);
  }
}

/** Column and row of each braille bit. */
const DOTS = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [0, 3], [1, 3]] as const;

function drawBraille(context: Context, bits: number, { x, y, w, h }: CellBox): void {
  const size = Math.max(1, Math.round(Math.min(w / 4, h / 8)));
  DOTS.forEach(([col, row], bit) => {
    if ((bits & (1 << bit)) === 0) return;
    context.fillRect(x + Math.round(((col + 0.5) * w) / 2 - size / 2), y + Math.round(((row + 0.5) * h) / 4 - size / 2), size, size);
  });
}

function drawPowerline(context: Context, cp: number, { x, y, w, h, line }: CellBox): void {
  const toRight = cp < 0xe0b2;
  const base = toRight ? x : x + w;
  const tip = toRight ? x + w : x;
  context.beginPath();
  context.moveTo(base, y);
  context.lineTo(tip, y + h / 2);
  context.lineTo(base, y + h);
  if (cp % 2 === 0) {
    context.closePath();
    context.fill();
  } else {
    context.lineWidth = line;
    context.stroke();
  }
}
