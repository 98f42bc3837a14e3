const KEY = 'fleetline.dismissed';

/** Banners put away until the next day; a convenience of this window, so the web view's own storage keeps it. */
class Dismissals {
  #until = $state.raw<Record<string, number>>(Dismissals.#read());

  static #read(): Record<string, number> {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
      if (typeof stored !== 'object' || stored === null) return {};
      return Object.fromEntries(Object.entries(stored).filter((pair): pair is [string, number] => typeof pair[1] === 'number'));
    } catch {
      return {};
    }
  }

  has(id: string): boolean {
    return (this.#until[id] ?? 0) > Date.now();
  }

  add(id: string): void {
    const midnight = new Date();
    midnight.setHours(24, 0, 0, 0);
    this.#until = { ...this.#until, [id]: midnight.getTime() };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#until));
    } catch {
      // Without storage the banner stays away until the window closes.
    }
  }
}

export const dismissals = new Dismissals();
