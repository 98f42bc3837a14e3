import type { KeyPress, Modifiers } from '../host/types';

/** The part of a keyboard event that decides. */
export interface KeyLike {
  key: string;
  code: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number;
  getModifierState(name: string): boolean;
}

/** `text`: the hidden text field takes it (layouts, dead keys, IME); `key`: encode it; `none`: not ours. */
export type KeyRoute = { to: 'text' } | { to: 'none' } | { to: 'key'; press: KeyPress };

/** Keys that are only part of others. */
const SILENT = new Set([
  'Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'OS', 'Hyper', 'Super', 'CapsLock', 'NumLock', 'ScrollLock', 'Fn', 'FnLock', 'Process', 'Unidentified',
  'Compose', 'ContextMenu', 'PrintScreen',
]);

export function modifiersOf(event: { shiftKey: boolean; ctrlKey: boolean; altKey: boolean; metaKey: boolean }): Modifiers {
  return { shift: event.shiftKey, ctrl: event.ctrlKey, alt: event.altKey, meta: event.metaKey };
}

/** Decides who handles a key that is no chord of ours. */
export function routeKey(event: KeyLike, platform: string): KeyRoute {
  // 229: an input method is at work even where isComposing is not set yet.
  if (event.isComposing || event.keyCode === 229 || event.key === 'Dead') return { to: 'text' };
  if (SILENT.has(event.key)) return { to: 'none' };
  if (event.metaKey) return { to: 'none' };
  const printable = [...event.key].length === 1;
  if (printable) {
    const altGraph = event.getModifierState('AltGraph');
    if (altGraph || (!event.ctrlKey && !event.altKey)) return { to: 'text' };
    // Option makes characters on a Mac; only where it made none it means Alt.
    if (platform === 'macos' && event.altKey && !event.ctrlKey && !/^[\x20-\x7e]$/u.test(event.key)) return { to: 'text' };
  }
  return { to: 'key', press: { key: event.key, code: event.code, modifiers: modifiersOf(event) } };
}

/** Turns wheel movement into whole lines, keeping the rest for the next event. */
export class WheelLines {
  #rest = 0;

  /** Lines towards the past are positive. */
  take(deltaY: number, deltaMode: number, cellPx: number, pageRows: number): number {
    const lines = deltaMode === 2 ? deltaY * pageRows : deltaMode === 1 ? deltaY : deltaY / cellPx;
    this.#rest -= lines;
    const whole = Math.trunc(this.#rest);
    this.#rest -= whole;
    return whole === 0 ? 0 : whole;
  }
}
