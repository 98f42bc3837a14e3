import type { Host, Settings } from '../host/types';
import type { Chrome } from './chrome.svelte';

/** Settings before the snapshot; the same defaults as `crates/ipc`. */
export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  density: 'normal',
  terminalFontPx: 13,
  scrollbackLines: 50_000,
  railMini: false,
  inspectorOpen: true,
  inspectorPx: 296,
  screenReader: false,
  deepLinks: false,
  recordInput: false,
  recordingMib: 50,
  recordingDays: 90,
  notify: true,
  startAtLogin: false,
};

export class SettingsState {
  current = $state.raw<Settings>(DEFAULT_SETTINGS);
  #systemDark = $state(matchMedia('(prefers-color-scheme: dark)').matches);

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => {
      this.#systemDark = event.matches;
    });
  }

  /** The theme to paint now. */
  get shade(): 'dark' | 'light' {
    const { theme } = this.current;
    if (theme === 'system') return this.#systemDark ? 'dark' : 'light';
    return theme;
  }

  /** Row height in CSS pixels. */
  get rowPx(): number {
    return { compact: 24, normal: 28, comfortable: 36 }[this.current.density];
  }

  take(settings: Settings): void {
    this.current = settings;
  }

  /** Shows the change at once; the host's answer is what stays. */
  async apply(change: Partial<Settings>): Promise<void> {
    const before = this.current;
    this.current = { ...before, ...change };
    const kept = await this.#chrome.run(this.#host.settingsApply(this.current));
    this.current = kept ?? before;
  }

  zoom(step: 1 | -1 | 0): void {
    const px = step === 0 ? DEFAULT_SETTINGS.terminalFontPx : this.current.terminalFontPx + step;
    void this.apply({ terminalFontPx: Math.min(32, Math.max(8, px)) });
  }
}
