/**
 * Decodes terminal frames. The layout's one source is `crates/terminal/src/frame/layout.rs`; all numbers are
 * little endian. Nothing in a frame is trusted: every length is checked before it is followed.
 */

export const HEADER_BYTES = 40;
export const STYLE_BYTES = 16;
export const FRAME_VERSION = 1;

export const Flag = { full: 1, altScreen: 2, cursorVisible: 4, bell: 8, scrolledBack: 16 } as const;
export const Mode = {
  mouse: 1, bracketedPaste: 2, appCursor: 4, alternateScroll: 8, cursorBlink: 16, focusEvents: 32, mouseMotion: 64,
} as const;
export const Attr = {
  bold: 1, dim: 2, italic: 4, inverse: 8, hidden: 16, strike: 32, underlineShift: 6, underlineMask: 7 << 6, hyperlink: 512, wide: 1024, cluster: 2048,
} as const;

export type CursorShape = 'block' | 'underline' | 'bar' | 'hollow';
const SHAPES: readonly CursorShape[] = ['block', 'underline', 'bar', 'hollow'];

export type OverlayKind = 'selection' | 'hit' | 'current_hit';
const OVERLAYS: readonly OverlayKind[] = ['selection', 'hit', 'current_hit'];

/** Top byte 0 default, 1 indexed, 2 rgb. */
export type PackedColor = number;

export interface CellStyle {
  fg: PackedColor;
  bg: PackedColor;
  underline: PackedColor;
  attrs: number;
}

/** A run of cells in one style. */
export interface Span {
  col: number;
  cells: number;
  style: CellStyle;
  text: string;
}

export interface FrameRow {
  row: number;
  spans: Span[];
}

export interface FrameOverlay {
  row: number;
  start: number;
  /** Exclusive. */
  end: number;
  kind: OverlayKind;
}

export interface Frame {
  full: boolean;
  altScreen: boolean;
  bell: boolean;
  scrolledBack: boolean;
  cols: number;
  rows: number;
  cursor: { visible: boolean; col: number; row: number; shape: CursorShape; width: number };
  seq: number;
  displayOffset: number;
  historyLines: number;
  modes: number;
  changed: FrameRow[];
  overlays: FrameOverlay[];
}

/** A frame that does not follow the layout. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const utf8 = new TextDecoder('utf-8', { fatal: false });

/** Reads forward and refuses to read past the end. */
class Reader {
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#view.byteLength) throw new FrameError(`frame ends at ${this.#view.byteLength}, needs ${at + bytes}`);
    this.#at = at + bytes;
    return at;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  text(bytes: number): string {
    const at = this.#take(bytes);
    return utf8.decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, bytes));
  }

  get rest(): number {
    return this.#view.byteLength - this.#at;
  }
}

/** The bytes of a frame however the bridge delivers them. */
export function bytesOf(message: unknown): Uint8Array {
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  if (Array.isArray(message)) return Uint8Array.from(message as number[]);
  throw new FrameError('a frame must be bytes');
}

/** Decodes a whole frame, or throws `FrameError`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.byteLength < HEADER_BYTES) throw new FrameError(`a frame of ${bytes.byteLength} bytes has no header`);
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (head.getUint8(0) !== FRAME_VERSION) throw new FrameError(`frame version ${head.getUint8(0)} is not known`);
  const flags = head.getUint8(1);
  const cols = head.getUint16(2, true);
  const rows = head.getUint16(4, true);
  const bodyBytes = head.getUint32(36, true);
  if (cols === 0 || rows === 0) throw new FrameError('a frame without cells');
  if (bodyBytes !== bytes.byteLength - HEADER_BYTES) throw new FrameError(`body of ${bytes.byteLength - HEADER_BYTES} bytes, header says ${bodyBytes}`);

  const body = new Reader(bytes, HEADER_BYTES);
  const styles = readStyles(body, head.getUint16(28, true));
  const changed = readRows(body, head.getUint16(30, true), styles, cols, rows);
  const overlays = readOverlays(body, head.getUint16(32, true), cols, rows);
  return {
    full: (flags & Flag.full) !== 0,
    altScreen: (flags & Flag.altScreen) !== 0,
    bell: (flags & Flag.bell) !== 0,
    scrolledBack: (flags & Flag.scrolledBack) !== 0,
    cols,
    rows,
    cursor: {
      visible: (flags & Flag.cursorVisible) !== 0,
      col: Math.min(head.getUint16(6, true), cols - 1),
      row: Math.min(head.getUint16(8, true), rows - 1),
      shape: SHAPES[head.getUint8(10)] ?? 'block',
      width: head.getUint8(11) === 2 ? 2 : 1,
    },
    seq: head.getUint32(12, true),
    displayOffset: head.getUint32(16, true),
    historyLines: head.getUint32(20, true),
    modes: head.getUint32(24, true),
    changed,
    overlays,
  };
}

function readStyles(body: Reader, count: number): CellStyle[] {
  if (count * STYLE_BYTES > body.rest) throw new FrameError(`${count} styles do not fit the frame`);
  const styles: CellStyle[] = [];
  for (let i = 0; i < count; i += 1) {
    const style = { fg: body.u32(), bg: body.u32(), underline: body.u32(), attrs: body.u16() };
    body.u16();
    styles.push(style);
  }
  return styles;
}

function readRows(body: Reader, count: number, styles: readonly CellStyle[], cols: number, rows: number): FrameRow[] {
  const changed: FrameRow[] = [];
  for (let i = 0; i < count; i += 1) {
    const row = body.u16();
    const spanCount = body.u16();
    if (row >= rows) throw new FrameError(`row ${row} of ${rows}`);
    if (spanCount > cols) throw new FrameError(`${spanCount} spans in ${cols} columns`);
    const spans: Span[] = [];
    for (let s = 0; s < spanCount; s += 1) {
      const col = body.u16();
      const cells = body.u16();
      const style = styles[body.u16()];
      const text = body.text(body.u16());
      if (style === undefined) throw new FrameError('a span names a style that is not there');
      if (col + cells > cols) throw new FrameError(`cells ${col} to ${col + cells} of ${cols}`);
      spans.push({ col, cells, style, text });
    }
    changed.push({ row, spans });
  }
  return changed;
}

function readOverlays(body: Reader, count: number, cols: number, rows: number): FrameOverlay[] {
  const overlays: FrameOverlay[] = [];
  for (let i = 0; i < count; i += 1) {
    const overlay = { row: body.u16(), start: body.u16(), end: body.u16(), kind: OVERLAYS[body.u16()] };
    if (overlay.row >= rows || overlay.start > overlay.end || overlay.end > cols) throw new FrameError('an overlay outside the screen');
    if (overlay.kind !== undefined) overlays.push({ ...overlay, kind: overlay.kind });
  }
  return overlays;
}
