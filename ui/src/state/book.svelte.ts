import type { BookChange, FleetBook, Host, SavedView } from '../host/types';
import type { Chrome } from './chrome.svelte';

const EMPTY: FleetBook = { views: [], groups: [], favourites: 0, layout: { columns: [], widths: [] }, open: null };

/** Whether two names mean the same view or group. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Saved views, groups and favourites; the truth is the host's. */
export class BookState {
  current = $state.raw<FleetBook>(EMPTY);

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  take(book: FleetBook): void {
    this.current = book;
  }

  view(name: string | null): SavedView | null {
    return this.current.views.find((view) => name !== null && sameName(view.name, name)) ?? null;
  }

  /** Makes a change; a refusal is shown and answered with false. */
  async change(change: BookChange): Promise<boolean> {
    const book = await this.#chrome.run(this.#host.fleetBook(change));
    if (book) this.current = book;
    return book !== undefined;
  }
}
