import type { Host, TabRow } from '../host/types';
import type { Chrome } from './chrome.svelte';

/** Pages beside the host's tabs; they exist in the interface only. */
export const FORWARDS_TAB = 'forwards';
export const ACCOUNTS_TAB = 'accounts';
export const ACTIVATIONS_TAB = 'activations';
export const DOCUMENTS_TAB = 'documents';
export const HISTORY_TAB = 'history';
export const AUDIT_TAB = 'audit';
export const RECORDINGS_TAB = 'recordings';
export const SETTINGS_TAB = 'settings';
const PAGES = [FORWARDS_TAB, HISTORY_TAB, AUDIT_TAB, DOCUMENTS_TAB, ACTIVATIONS_TAB, ACCOUNTS_TAB, RECORDINGS_TAB, SETTINGS_TAB] as const;
export type Page = (typeof PAGES)[number];
/** Id of the fleet tab. */
export const FLEET_TAB = 'fleet';

function isPage(id: string): id is Page {
  return (PAGES as readonly string[]).includes(id);
}

/** Whether closing the tab would end something that works. */
export function isLive(tab: TabRow): boolean {
  const state = tab.session?.state.state;
  return state === 'connecting' || state === 'connected' || state === 'reconnecting';
}

export class TabsState {
  rows = $state.raw<TabRow[]>([]);
  #active = $state(FLEET_TAB);
  /** Pages that are open, in the order they were opened. */
  pages = $state.raw<Page[]>([]);
  #pageInFront = $state<Page | null>(null);
  /** Version of the newest row taken per tab, so that an older list cannot undo it. */
  #versions = new Map<string, number>();

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  /** Id of the tab in front. */
  get active(): string {
    return this.#pageInFront ?? this.#active;
  }

  /** The replay in front, if one is. */
  get activeReplay(): TabRow | null {
    const row = this.rows.find((tab) => tab.id === this.active);
    return row?.kind === 'replay' ? row : null;
  }

  /** The shell in front, if one is. */
  get activeShell(): TabRow | null {
    const row = this.rows.find((tab) => tab.id === this.active);
    return row?.kind === 'shell' ? row : null;
  }

  /** Ids as they stand in the strip. */
  get order(): string[] {
    return [...this.rows.map((tab) => tab.id), ...this.pages];
  }

  get liveShells(): number {
    return this.rows.filter(isLive).length;
  }

  takeAll(rows: TabRow[], active: string, version: number): void {
    const known = new Map(this.rows.map((row) => [row.id, row]));
    this.rows = rows.map((row) => ((this.#versions.get(row.id) ?? 0) > version ? (known.get(row.id) ?? row) : row));
    if (active !== this.#active) this.#pageInFront = null;
    this.#active = active;
    for (const id of this.#versions.keys()) if (!rows.some((row) => row.id === id)) this.#versions.delete(id);
  }

  takeOne(tab: TabRow, version: number): void {
    this.#versions.set(tab.id, version);
    this.rows = this.rows.map((row) => (row.id === tab.id ? tab : row));
  }

  activate(id: string): void {
    if (isPage(id)) {
      if (!this.pages.includes(id)) this.pages = [...this.pages, id];
      this.#pageInFront = id;
      return;
    }
    this.#pageInFront = null;
    if (id === this.#active) return;
    this.#active = id;
    void this.#chrome.run(this.#host.tabActivate(id));
  }

  /** Steps through the strip, around its ends. */
  step(by: 1 | -1): void {
    const order = this.order;
    const at = order.indexOf(this.active);
    const next = order[(at + by + order.length) % order.length];
    if (next !== undefined) this.activate(next);
  }

  move(id: string, index: number): void {
    void this.#chrome.run(this.#host.tabMove(id, index));
  }

  /** Closes at once what is over; asks first where a session still works. */
  requestClose(id: string): void {
    if (isPage(id)) {
      this.pages = this.pages.filter((page) => page !== id);
      if (this.#pageInFront === id) this.#pageInFront = null;
      return;
    }
    const tab = this.rows.find((row) => row.id === id);
    if (!tab || tab.kind === 'fleet') return;
    if (tab.session?.state.state === 'connected') this.#chrome.open({ kind: 'close_tab', tab: id, title: tab.title });
    else void this.close(id);
  }

  async close(id: string): Promise<void> {
    await this.#chrome.run(this.#host.tabClose(id));
  }

  async openShell(nodeKey: string): Promise<void> {
    const tab = await this.#chrome.run(this.#host.shellOpen(nodeKey, null, null));
    if (tab) this.show(tab);
  }

  /** Brings a tab that was just opened to the front. */
  show(tab: TabRow): void {
    if (!this.rows.some((row) => row.id === tab.id)) this.rows = [...this.rows, tab];
    this.#pageInFront = null;
    this.#active = tab.id;
  }
}
