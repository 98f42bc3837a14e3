import type { Host, TerminalSize } from '../host/types';
import { Canvas2dPainter } from './canvas2d';
import { themeFrom, type TerminalTheme } from './colors';
import { bytesOf, decodeFrame, Mode, type Frame } from './frame';
import { cellAt, gridFor, measure, PAD_TOP, PAD_X, type Metrics } from './metrics';
import { Scene, type Painter } from './painter';
import { InputQueue } from './queue';
import type { CursorLook } from './rowpaint';
import { Screen } from './screen';
import { hasFastGl, WebglPainter } from './webgl';

const BLINK_MS = 530;
/** Without input for this long the cursor stands still. */
const BLINK_REST_MS = 10_000;
const RESIZE_DELAY_MS = 100;
/** A container smaller than this is being hidden, not resized. */
const LEAST_PX = 40;

/** The last attach or detach per tab: commands run concurrently in the host, and these two must not change places. */
const attachments = new Map<string, Promise<unknown>>();

function inTurn(tab: string, step: () => Promise<unknown>): Promise<unknown> {
  const turn = (attachments.get(tab) ?? Promise.resolve()).then(step, step);
  const settled = turn.catch(() => undefined).then(() => {
    if (attachments.get(tab) === settled) attachments.delete(tab);
  });
  attachments.set(tab, settled);
  return turn;
}

/** What the component around the canvas needs to know after each paint. */
export interface Painted {
  cols: number;
  rows: number;
  scrolledBack: boolean;
  historyLines: number;
  displayOffset: number;
  /** The cursor's cell in CSS pixels from the container's corner, for the input method. */
  cursor: { x: number; y: number; h: number };
}

export interface ViewOptions {
  host: Host;
  tab: string;
  container: HTMLElement;
  family: string;
  fontPx: number;
  /** The host knows that GL is software here. */
  softwareGl: boolean;
  onPainted: (state: Painted) => void;
  onBell: () => void;
  onResizing: (size: TerminalSize | null) => void;
  onProblem: (cause: unknown) => void;
}

/** One terminal on screen: takes frames, paints them, acknowledges what was painted. */
export class TerminalView {
  readonly screen = new Screen();
  readonly input: InputQueue;
  /** The screen is that of a lost channel: no cursor, half lit. */
  frozen = false;

  readonly #o: ViewOptions;
  readonly #scene = new Scene();
  #painter: Painter;
  #metrics: Metrics;
  #theme: TerminalTheme;
  #fontPx: number;
  #pending: Frame[] = [];
  #dirty = new Set<number>();
  #configured = '';
  #request = 0;
  #focused = false;
  #blinkOn = true;
  #blinkTimer = 0;
  #lastInput = 0;
  #observer: ResizeObserver;
  #resizeTimer = 0;
  #sent: TerminalSize = { cols: 0, rows: 0 };
  #stopped = false;

  constructor(options: ViewOptions) {
    this.#o = options;
    this.#fontPx = options.fontPx;
    this.input = new InputQueue(options.host, options.tab, options.onProblem);
    this.#metrics = measure(options.family, options.fontPx, window.devicePixelRatio);
    this.#theme = readTheme();
    this.#painter = this.#choosePainter(options.softwareGl);
    this.#mount();
    this.#observer = new ResizeObserver(() => this.#fit(false));
    this.#observer.observe(options.container);
    this.#watchRatio();
  }

  get modes(): number {
    return this.screen.modes;
  }

  get rows(): number {
    return this.screen.rows;
  }

  get cellHeight(): number {
    return this.#metrics.cssCellH;
  }

  get painterKind(): Painter['kind'] {
    return this.#painter.kind;
  }

  /** Sends the size, then attaches, so that the first frame already fits. */
  async start(): Promise<void> {
    const { host, tab } = this.#o;
    await inTurn(tab, async () => {
      if (this.#stopped) return;
      this.#sent = this.#grid();
      await host.terminalResize(tab, this.#sent);
      await host.terminalAttach(tab, (message) => this.#take(message));
    });
  }

  /** Detaches and frees the canvas. */
  stop(): void {
    this.#stopped = true;
    window.cancelAnimationFrame(this.#request);
    window.clearTimeout(this.#resizeTimer);
    window.clearInterval(this.#blinkTimer);
    this.#observer.disconnect();
    this.#painter.dispose();
    // The tab may be gone already, and its attachment with it.
    inTurn(this.#o.tab, () => this.#o.host.terminalDetach(this.#o.tab)).catch(() => undefined);
  }

  setFocused(focused: boolean): void {
    if (focused === this.#focused) return;
    this.#focused = focused;
    this.#rest();
    if ((this.modes & Mode.focusEvents) !== 0) void this.#o.host.terminalFocus(this.#o.tab, focused).catch(this.#o.onProblem);
  }

  setFrozen(frozen: boolean): void {
    if (frozen === this.frozen) return;
    this.frozen = frozen;
    this.#dirtyCursor();
  }

  /** Reads the theme's tokens again. */
  setTheme(): void {
    this.#theme = readTheme();
    this.#repaint();
  }

  setFont(fontPx: number): void {
    if (fontPx === this.#fontPx) return;
    this.#fontPx = fontPx;
    this.#remeasure();
  }

  /** The user typed or clicked: the cursor is lit and blinks anew. */
  touched(): void {
    this.#lastInput = performance.now();
    this.#rest();
  }

  /** The cell under a point of the window. */
  cellAt(clientX: number, clientY: number): { col: number; row: number; rightHalf: boolean } {
    const corner = this.#painter.canvas.getBoundingClientRect();
    return cellAt(clientX - corner.left, clientY - corner.top, this.#metrics, Math.max(1, this.screen.cols), Math.max(1, this.screen.rows));
  }

  /** Lines to scroll while a drag is above (positive) or below (negative) the grid; 0 inside. */
  outside(clientY: number): number {
    const box = this.#painter.canvas.getBoundingClientRect();
    if (clientY < box.top) return Math.min(10, 1 + Math.floor((box.top - clientY) / 20));
    if (clientY > box.bottom) return -Math.min(10, 1 + Math.floor((clientY - box.bottom) / 20));
    return 0;
  }

  /** The visible rows as plain text. */
  text(): string[] {
    return this.screen.lines.map((spans) => {
      let line = '';
      let col = 0;
      for (const span of spans) {
        line += ' '.repeat(Math.max(0, span.col - col)) + span.text;
        col = span.col + span.cells;
      }
      return line.trimEnd();
    });
  }

  #choosePainter(softwareGl: boolean): Painter {
    if (!softwareGl && hasFastGl()) {
      try {
        return new WebglPainter(() => this.#fallBack());
      } catch {
        return new Canvas2dPainter();
      }
    }
    return new Canvas2dPainter();
  }

  /** The GL context went away; the screen is painted on by other means. */
  #fallBack(): void {
    if (this.#stopped) return;
    this.#painter.canvas.remove();
    this.#painter = new Canvas2dPainter();
    this.#mount();
    this.#repaint();
  }

  #mount(): void {
    const { canvas } = this.#painter;
    canvas.className = 'grid-canvas';
    canvas.setAttribute('aria-hidden', 'true');
    canvas.dataset['painter'] = this.#painter.kind;
    this.#o.container.prepend(canvas);
  }

  #take(message: unknown): void {
    if (this.#stopped) return;
    try {
      this.#pending.push(decodeFrame(bytesOf(message)));
    } catch (cause) {
      this.#o.onProblem(cause);
      return;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#request === 0 && !this.#stopped) this.#request = window.requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    this.#request = 0;
    const frames = this.#pending;
    this.#pending = [];
    for (const frame of frames) {
      for (const row of this.screen.apply(frame)) this.#dirty.add(row);
      if (frame.bell) this.#o.onBell();
    }
    if (this.screen.rows === 0) return;
    this.#configure();
    const rows = this.#scene.rows(this.screen, this.#dirty, this.#cursor(), this.#theme);
    this.#dirty.clear();
    this.#painter.paint(rows);
    const last = frames.at(-1);
    if (last) void this.#o.host.terminalAck(this.#o.tab, last.seq).catch(this.#o.onProblem);
    this.#report();
  }

  /** Fits the canvas to the frame's grid when grid, size or theme changed. */
  #configure(): void {
    const { cols, rows } = this.screen;
    const { cellW, cellH, dpr } = this.#metrics;
    const key = `${cols} ${rows} ${cellW} ${cellH} ${dpr} ${this.#theme.bg} ${this.#theme.fg} ${this.#painter.kind}`;
    if (key === this.#configured) return;
    this.#configured = key;
    this.#painter.configure(this.#metrics, this.#theme, cols, rows);
    const { canvas } = this.#painter;
    canvas.style.left = `${PAD_X}px`;
    canvas.style.top = `${PAD_TOP}px`;
    canvas.style.width = `${canvas.width / dpr}px`;
    canvas.style.height = `${canvas.height / dpr}px`;
    this.#dirty = this.screen.allRows();
  }

  #report(): void {
    const { screen } = this;
    const { cssCellW, cssCellH } = this.#metrics;
    this.#o.onPainted({
      cols: screen.cols,
      rows: screen.rows,
      scrolledBack: screen.scrolledBack,
      historyLines: screen.historyLines,
      displayOffset: screen.displayOffset,
      cursor: { x: PAD_X + screen.cursor.col * cssCellW, y: PAD_TOP + screen.cursor.row * cssCellH, h: cssCellH },
    });
  }

  #cursor(): CursorLook | null {
    const { visible, row, col, width, shape } = this.screen.cursor;
    if (!visible || this.frozen) return null;
    if (!this.#focused) return { row, col, width, shape: 'hollow' };
    return this.#blinkOn ? { row, col, width, shape } : null;
  }

  #dirtyCursor(): void {
    if (this.screen.rows === 0) return;
    this.#dirty.add(this.screen.cursor.row);
    this.#schedule();
  }

  #rest(): void {
    window.clearInterval(this.#blinkTimer);
    this.#blinkTimer = 0;
    this.#blinkOn = true;
    this.#dirtyCursor();
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!this.#focused || still || (this.modes & Mode.cursorBlink) === 0) return;
    this.#blinkTimer = window.setInterval(() => {
      if (performance.now() - this.#lastInput > BLINK_REST_MS) {
        window.clearInterval(this.#blinkTimer);
        this.#blinkOn = true;
      } else {
        this.#blinkOn = !this.#blinkOn;
      }
      this.#dirtyCursor();
    }, BLINK_MS);
  }

  #grid(): TerminalSize {
    const { clientWidth, clientHeight } = this.#o.container;
    return gridFor(clientWidth, clientHeight, this.#metrics);
  }

  /** Sends a new size once it has stood for a moment. */
  #fit(atOnce: boolean): void {
    const { clientWidth, clientHeight } = this.#o.container;
    if (clientWidth < LEAST_PX || clientHeight < LEAST_PX) return;
    const size = this.#grid();
    if (this.#sent.cols === 0 || (size.cols === this.#sent.cols && size.rows === this.#sent.rows)) return;
    this.#o.onResizing(size);
    window.clearTimeout(this.#resizeTimer);
    this.#resizeTimer = window.setTimeout(() => {
      this.#sent = size;
      this.#o.onResizing(null);
      this.#o.host.terminalResize(this.#o.tab, size).catch(this.#o.onProblem);
    }, atOnce ? 0 : RESIZE_DELAY_MS);
  }

  #remeasure(): void {
    this.#metrics = measure(this.#o.family, this.#fontPx, window.devicePixelRatio);
    this.#repaint();
    this.#fit(true);
  }

  #repaint(): void {
    this.#configured = '';
    this.#schedule();
  }

  /** The window may move to a screen of another density. */
  #watchRatio(): void {
    const query = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener('change', () => {
      if (this.#stopped) return;
      this.#remeasure();
      this.#watchRatio();
    }, { once: true });
  }
}

function readTheme(): TerminalTheme {
  const style = getComputedStyle(document.documentElement);
  return themeFrom((name) => style.getPropertyValue(name));
}
