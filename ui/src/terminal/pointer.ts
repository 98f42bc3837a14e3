import type { Host, MouseInput, SelectionKind } from '../host/types';
import { Mode } from './frame';
import { WheelLines, modifiersOf } from './input';
import type { TerminalView } from './view';

/** Lines per step while a drag is held outside the grid, and how often. */
const DRAG_SCROLL_MS = 60;

/** Mouse on the grid: reports to programs that want it, selects and scrolls for everyone else. */
export class Pointer {
  readonly #host: Host;
  readonly #tab: string;
  readonly #view: TerminalView;
  readonly #run: (action: Promise<unknown>) => void;
  readonly #paste: () => void;
  readonly #wheel = new WheelLines();
  #selecting = false;
  #reporting: number | null = null;
  #cell = '';
  #scroll = 0;
  #last = { x: 0, y: 0 };

  constructor(host: Host, tab: string, view: TerminalView, run: (action: Promise<unknown>) => void, paste: () => void) {
    this.#host = host;
    this.#tab = tab;
    this.#view = view;
    this.#run = run;
    this.#paste = paste;
  }

  down(event: PointerEvent): void {
    const at = this.#view.cellAt(event.clientX, event.clientY);
    if (this.#wanted(event)) {
      this.#reporting = event.button;
      this.#report('press', event.button, event);
      return;
    }
    if (event.button === 1) {
      event.preventDefault();
      this.#paste();
      return;
    }
    if (event.button !== 0) return;
    this.#selecting = true;
    this.#cell = '';
    if (event.shiftKey) {
      this.#run(this.#host.terminalSelect(this.#tab, { step: 'update', ...at }));
      return;
    }
    const kind: SelectionKind = event.altKey ? 'block' : event.detail >= 3 ? 'line' : event.detail === 2 ? 'word' : 'simple';
    this.#run(this.#host.terminalSelect(this.#tab, { step: 'start', kind, ...at }));
  }

  move(event: PointerEvent): void {
    this.#last = { x: event.clientX, y: event.clientY };
    if (this.#selecting) {
      this.#extend();
      this.#autoScroll();
      return;
    }
    if (!this.#wanted(event) || (this.#view.modes & Mode.mouseMotion) === 0) return;
    const at = this.#view.cellAt(event.clientX, event.clientY);
    const cell = `${at.col},${at.row}`;
    if (cell === this.#cell) return;
    this.#cell = cell;
    this.#report('move', this.#reporting, event);
  }

  up(event: PointerEvent): void {
    this.stop();
    if (this.#reporting === null) return;
    this.#reporting = null;
    this.#report('release', event.button, event);
  }

  wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.deltaY === 0) return;
    event.preventDefault();
    const view = this.#view;
    const lines = this.#wheel.take(event.deltaY, event.deltaMode, view.cellHeight, view.rows);
    if (lines === 0) return;
    if (this.#wanted(event)) {
      for (let i = 0; i < Math.min(20, Math.abs(lines)); i += 1) this.#report(lines > 0 ? 'wheel_up' : 'wheel_down', null, event);
    } else if (view.modes & Mode.alternateScroll) {
      const key = lines > 0 ? 'ArrowUp' : 'ArrowDown';
      const modifiers = { shift: false, ctrl: false, alt: false, meta: false };
      for (let i = 0; i < Math.min(60, Math.abs(lines)); i += 1) view.input.key({ key, code: key, modifiers });
    } else {
      this.#run(this.#host.terminalScroll(this.#tab, { to: 'lines', lines }));
    }
  }

  /** Ends a drag, also when the pointer is lost. */
  stop(): void {
    this.#selecting = false;
    window.clearInterval(this.#scroll);
    this.#scroll = 0;
  }

  /** Shift takes the mouse back from the program. */
  #wanted(event: MouseEvent): boolean {
    return (this.#view.modes & Mode.mouse) !== 0 && !event.shiftKey && !this.#view.frozen;
  }

  #report(action: MouseInput['action'], button: number | null, event: MouseEvent): void {
    const { col, row } = this.#view.cellAt(event.clientX, event.clientY);
    this.#run(this.#host.terminalMouse(this.#tab, { action, button, col, row, modifiers: modifiersOf(event) }));
  }

  #extend(): void {
    const at = this.#view.cellAt(this.#last.x, this.#last.y);
    const cell = `${at.col},${at.row},${at.rightHalf ? 1 : 0}`;
    if (cell === this.#cell) return;
    this.#cell = cell;
    this.#run(this.#host.terminalSelect(this.#tab, { step: 'update', ...at }));
  }

  #autoScroll(): void {
    const outside = this.#view.outside(this.#last.y);
    if (outside === 0) {
      window.clearInterval(this.#scroll);
      this.#scroll = 0;
    } else if (this.#scroll === 0) {
      this.#scroll = window.setInterval(() => {
        const lines = this.#view.outside(this.#last.y);
        if (lines === 0) return;
        this.#cell = '';
        this.#run(this.#host.terminalScroll(this.#tab, { to: 'lines', lines }).then(() => this.#extend()));
      }, DRAG_SCROLL_MS);
    }
  }
}
