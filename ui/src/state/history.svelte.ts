import type { HistoryEnded, HistoryFormat, HistoryQuery, HistoryRow, HistorySort, HistorySummary, HistoryWindow, Host } from '../host/types';
import type { Chrome } from './chrome.svelte';

const WINDOW_LEN = 200;

/** Whether the session is not over. */
export function isActive(row: HistoryRow): boolean {
  return row.status !== 'ended' && row.status !== 'timed_out' && row.status !== 'failed';
}

export class HistoryState {
  query = $state.raw<HistoryQuery>({ text: '', show: 'all', hours: 24, sort: 'start', descending: true });
  summary = $state.raw<HistorySummary | null>(null);
  window = $state.raw<HistoryWindow | null>(null);
  /** Rows chosen together, by key; they stay while the list moves. */
  chosen = $state.raw<ReadonlyMap<string, HistoryRow>>(new Map());
  selectedKey = $state<string | null>(null);
  /** Keys whose ending is under way. */
  ending = $state.raw<ReadonlySet<string>>(new Set());

  #wanted = { first: 0, last: WINDOW_LEN };
  #asking = false;
  #again = false;

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  get matched(): number {
    return this.window?.matched ?? 0;
  }

  rowAt(index: number): HistoryRow | undefined {
    const held = this.window;
    return held ? held.rows[index - held.offset] : undefined;
  }

  indexOf(key: string | null): number {
    const held = this.window;
    const at = held?.rows.findIndex((row) => row.key === key) ?? -1;
    return held && at >= 0 ? held.offset + at : -1;
  }

  async watch(on: boolean): Promise<void> {
    const summary = await this.#chrome.run(this.#host.historyWatch(on));
    if (on && summary) {
      this.takeSummary(summary);
      void this.load();
    }
  }

  takeSummary(summary: HistorySummary): void {
    const stale = summary.version !== this.window?.version;
    this.summary = summary;
    if (stale && this.window !== null) void this.load();
  }

  leave(): void {
    this.summary = null;
    this.window = null;
    this.chosen = new Map();
    this.selectedKey = null;
  }

  refresh(): void {
    void this.#chrome.run(this.#host.historyRefresh());
  }

  ask(change: Partial<HistoryQuery>): void {
    this.query = { ...this.query, ...change };
    this.#wanted = { first: 0, last: WINDOW_LEN };
    void this.load();
  }

  sortBy(sort: HistorySort): void {
    this.ask(this.query.sort === sort ? { descending: !this.query.descending } : { sort, descending: sort === 'start' || sort === 'duration' });
  }

  /** The rows that are painted: what is not held is asked for. */
  want(first: number, last: number): void {
    this.#wanted = { first, last };
    const held = this.window;
    if (held && held.offset <= first && held.offset + held.rows.length >= Math.min(last, held.matched)) return;
    void this.load();
  }

  /** Asks for the window; while one question runs, one more is remembered. */
  async load(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#again = false;
        const query = this.query;
        const middle = Math.floor((this.#wanted.first + this.#wanted.last) / 2);
        const offset = Math.max(0, middle - WINDOW_LEN / 2);
        const held = await this.#chrome.run(this.#host.historyWindow(query, offset, WINDOW_LEN));
        if (held && query === this.query) this.window = held;
      } while (this.#again);
    } finally {
      this.#asking = false;
    }
  }

  choose(row: HistoryRow, on: boolean): void {
    const chosen = new Map(this.chosen);
    if (on) chosen.set(row.key, row);
    else chosen.delete(row.key);
    this.chosen = chosen;
  }

  clearChosen(): void {
    this.chosen = new Map();
  }

  async ofOwner(owner: string): Promise<string[]> {
    return (await this.#chrome.run(this.#host.historyOfOwner(owner))) ?? [];
  }

  async end(keys: string[]): Promise<HistoryEnded[] | undefined> {
    this.ending = new Set([...this.ending, ...keys]);
    const outcomes = await this.#chrome.run(this.#host.historyEnd(keys));
    const left = new Set(this.ending);
    keys.forEach((key) => left.delete(key));
    this.ending = left;
    void this.load();
    return outcomes;
  }

  async export(format: HistoryFormat): Promise<string | undefined> {
    return this.#chrome.run(this.#host.historyExport(this.query, format));
  }
}
