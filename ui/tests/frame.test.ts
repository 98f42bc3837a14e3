import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Attr, bytesOf, decodeFrame, FrameError, HEADER_BYTES, Mode } from '../src/terminal/frame';
import { Screen } from '../src/terminal/screen';

/** A frame put together byte by byte from the layout's table. */
class Builder {
  flags = 4;
  cols = 10;
  rows = 3;
  seq = 7;
  styles: number[][] = [];
  lines: { row: number; spans: { col: number; cells: number; style: number; text: string }[] }[] = [];
  overlays: number[][] = [];

  bytes(): Uint8Array {
    const body: number[] = [];
    const u16 = (n: number) => body.push(n & 255, n >> 8);
    const u32 = (n: number) => body.push(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24);
    for (const [fg = 0, bg = 0, underline = 0, attrs = 0] of this.styles) {
      u32(fg);
      u32(bg);
      u32(underline);
      u16(attrs);
      u16(0);
    }
    for (const { row, spans } of this.lines) {
      u16(row);
      u16(spans.length);
      for (const span of spans) {
        const text = new TextEncoder().encode(span.text);
        u16(span.col);
        u16(span.cells);
        u16(span.style);
        u16(text.length);
        body.push(...text);
      }
    }
    for (const overlay of this.overlays) overlay.forEach(u16);
    const head = new DataView(new ArrayBuffer(HEADER_BYTES));
    head.setUint8(0, 1);
    head.setUint8(1, this.flags);
    head.setUint16(2, this.cols, true);
    head.setUint16(4, this.rows, true);
    head.setUint16(6, 4, true);
    head.setUint16(8, 1, true);
    head.setUint8(10, 2);
    head.setUint8(11, 1);
    head.setUint32(12, this.seq, true);
    head.setUint32(16, 5, true);
    head.setUint32(20, 1000, true);
    head.setUint32(24, Mode.mouse | Mode.cursorBlink, true);
    head.setUint16(28, this.styles.length, true);
    head.setUint16(30, this.lines.length, true);
    head.setUint16(32, this.overlays.length, true);
    head.setUint32(36, body.length, true);
    return Uint8Array.from([...new Uint8Array(head.buffer), ...body]);
  }
}

function sample(): Builder {
  const builder = new Builder();
  builder.flags = 1 | 4 | 8;
  builder.styles = [[0, 0, 0, 0], [(1 << 24) | 2, (2 << 24) | 0x102030, 0, Attr.bold | (3 << Attr.underlineShift)], [0, 0, 0, Attr.wide]];
  builder.lines = [
    { row: 0, spans: [{ col: 0, cells: 4, style: 1, text: 'ssm$' }, { col: 5, cells: 4, style: 2, text: '東京' }] },
    { row: 2, spans: [{ col: 1, cells: 2, style: 0, text: 'ok' }] },
  ];
  builder.overlays = [[0, 1, 3, 0], [2, 0, 10, 2]];
  return builder;
}

describe('decodeFrame', () => {
  it('reads header, styles, rows and overlays', () => {
    const frame = decodeFrame(sample().bytes());
    expect(frame).toMatchObject({
      full: true, altScreen: false, bell: true, scrolledBack: false, cols: 10, rows: 3, seq: 7, displayOffset: 5, historyLines: 1000,
      cursor: { visible: true, col: 4, row: 1, shape: 'bar', width: 1 },
    });
    expect(frame.modes & Mode.mouse).toBe(Mode.mouse);
    expect(frame.changed[0]?.spans[0]).toEqual({ col: 0, cells: 4, text: 'ssm$', style: { fg: (1 << 24) | 2, bg: (2 << 24) | 0x102030, underline: 0, attrs: 1 | 192 } });
    expect(frame.changed[0]?.spans[1]?.text).toBe('東京');
    expect(frame.changed[1]).toEqual({ row: 2, spans: [{ col: 1, cells: 2, text: 'ok', style: { fg: 0, bg: 0, underline: 0, attrs: 0 } }] });
    expect(frame.overlays).toEqual([{ row: 0, start: 1, end: 3, kind: 'selection' }, { row: 2, start: 0, end: 10, kind: 'current_hit' }]);
  });

  it('reads a frame that lies inside a larger buffer', () => {
    const inner = sample().bytes();
    const outer = new Uint8Array(inner.length + 9);
    outer.set(inner, 5);
    expect(decodeFrame(outer.subarray(5, 5 + inner.length)).seq).toBe(7);
  });

  it('refuses every truncation with a FrameError', () => {
    const bytes = sample().bytes();
    for (let length = 0; length < bytes.length; length += 1) expect(() => decodeFrame(bytes.subarray(0, length))).toThrow(FrameError);
  });

  it('refuses a version it does not know', () => {
    const bytes = sample().bytes();
    bytes[0] = 2;
    expect(() => decodeFrame(bytes)).toThrow(/version 2/);
  });

  it('refuses a style that is not in the table', () => {
    const builder = sample();
    builder.lines[0]!.spans[0]!.style = 3;
    expect(() => decodeFrame(builder.bytes())).toThrow(FrameError);
  });

  it('refuses cells, rows and overlays outside the screen', () => {
    for (const spoil of [
      (b: Builder) => (b.lines[0]!.row = 3),
      (b: Builder) => (b.lines[0]!.spans[0]!.cells = 11),
      (b: Builder) => (b.overlays[0] = [0, 5, 4, 0]),
      (b: Builder) => (b.overlays[0] = [9, 0, 1, 0]),
    ]) {
      const builder = sample();
      spoil(builder);
      expect(() => decodeFrame(builder.bytes())).toThrow(FrameError);
    }
  });

  it('throws nothing but FrameError on any bytes', () => {
    const base = sample().bytes();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 12 }), (changes) => {
        const bytes = base.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          decodeFrame(bytes);
        } catch (cause) {
          expect(cause).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('takes bytes however the bridge delivers them', () => {
    const bytes = sample().bytes();
    expect(decodeFrame(bytesOf(bytes.buffer)).seq).toBe(7);
    expect(decodeFrame(bytesOf([...bytes])).seq).toBe(7);
    expect(() => bytesOf('frame')).toThrow(FrameError);
  });
});

describe('Screen', () => {
  it('replaces listed rows and keeps the others', () => {
    const screen = new Screen();
    screen.apply(decodeFrame(sample().bytes()));
    const next = new Builder();
    next.styles = [[0, 0, 0, 0]];
    next.lines = [{ row: 2, spans: [{ col: 0, cells: 3, style: 0, text: 'new' }] }];
    const dirty = screen.apply(decodeFrame(next.bytes()));
    expect(screen.lines[0]?.[0]?.text).toBe('ssm$');
    expect(screen.lines[2]?.map((span) => span.text)).toEqual(['new']);
    // Row 2 changed, rows 0 and 2 lost overlays, row 1 has the cursor.
    expect([...dirty].sort()).toEqual([0, 1, 2]);
  });

  it('clears what a full frame does not list', () => {
    const screen = new Screen();
    screen.apply(decodeFrame(sample().bytes()));
    const next = new Builder();
    next.flags = 1;
    screen.apply(decodeFrame(next.bytes()));
    expect(screen.lines.every((line) => line.length === 0)).toBe(true);
  });

  it('starts over when the size changes', () => {
    const screen = new Screen();
    screen.apply(decodeFrame(sample().bytes()));
    const next = new Builder();
    next.rows = 2;
    const dirty = screen.apply(decodeFrame(next.bytes()));
    expect(screen.lines).toHaveLength(2);
    expect([...dirty].every((row) => row < 2)).toBe(true);
  });
});
