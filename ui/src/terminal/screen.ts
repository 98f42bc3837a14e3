import type { Frame, FrameOverlay, Span } from './frame';

/** What the painter needs to draw again: the last frame's cells, nothing the host does not know. */
export class Screen {
  cols = 0;
  rows = 0;
  lines: Span[][] = [];
  overlays: FrameOverlay[] = [];
  cursor: Frame['cursor'] = { visible: false, col: 0, row: 0, shape: 'block', width: 1 };
  displayOffset = 0;
  historyLines = 0;
  modes = 0;
  altScreen = false;
  scrolledBack = false;

  /** Takes a frame and returns the rows to paint again. */
  apply(frame: Frame): Set<number> {
    const dirty = new Set<number>();
    const resized = frame.cols !== this.cols || frame.rows !== this.rows;
    if (frame.full || resized) {
      this.lines = Array.from({ length: frame.rows }, () => []);
      for (let row = 0; row < frame.rows; row += 1) dirty.add(row);
    }
    for (const { row, spans } of frame.changed) {
      this.lines[row] = spans;
      dirty.add(row);
    }
    for (const { row } of this.overlays) dirty.add(row);
    for (const { row } of frame.overlays) dirty.add(row);
    dirty.add(this.cursor.row);
    dirty.add(frame.cursor.row);

    this.cols = frame.cols;
    this.rows = frame.rows;
    this.overlays = frame.overlays;
    this.cursor = frame.cursor;
    this.displayOffset = frame.displayOffset;
    this.historyLines = frame.historyLines;
    this.modes = frame.modes;
    this.altScreen = frame.altScreen;
    this.scrolledBack = frame.scrolledBack;
    for (const row of dirty) if (row >= this.rows) dirty.delete(row);
    return dirty;
  }

  allRows(): Set<number> {
    return new Set(Array.from({ length: this.rows }, (_, row) => row));
  }
}
