import { HostError } from '../host/types';
import type {
  CheckRow, FleetQuery, FleetSummary, FleetViewState, FleetWindow, Host, NodeDetail, NodeRow, SavedView, SortColumn, TableLayout,
} from '../host/types';
import type { BookState } from './book.svelte';
import type { Chrome } from './chrome.svelte';
import { sameColumns } from '../fleet/columns';
import { FleetChoice } from './fleet-choice.svelte';
import { covers, windowFor } from '../fleet/viewport';

const EMPTY_SUMMARY: FleetSummary = {
  version: 0, total: 0, online: 0, hybrid: 0, notConnectable: 0, stale: 0, accounts: 0, regions: 0,
  accountRegions: [], refreshing: false, updatedMs: null,
};

/** How long a re-sort waits for the pointer to leave the table, at most. */
const HOLD_MS = 3000;

/** The fleet as one view shows it; holds the visible window of rows and nothing else of the inventory. */
export class FleetState {
  summary = $state.raw<FleetSummary>(EMPTY_SUMMARY);
  view = $state.raw<FleetViewState | null>(null);
  query = $state.raw<FleetQuery>({ text: '', sort: 'name', descending: false });
  window = $state.raw<FleetWindow | null>(null);
  detail = $state.raw<NodeDetail | null>(null);
  selectedKey = $state<string | null>(null);
  /** Index of the selected row in the view, -1 when it is not in it. */
  selectedIndex = $state(-1);
  /** Nodes chosen together; empty while only the selected one is meant. */
  readonly choice = new FleetChoice((offset, len) => this.#rows(offset, len));

  #wanted = { first: 0, last: 60 };
  #fetching = false;
  #openAttempt = 0;
  #held = false;
  #holdTimer = 0;
  #detailTimer = 0;
  /** When the detail that waits is read, by the window's clock; 0 while none waits. */
  #detailDue = 0;
  #findRun = 0;

  readonly #host: Host;
  readonly #chrome: Chrome;
  readonly #book: BookState;
  /** Columns chosen over those of the saved view and not saved in it. */
  #draft = $state.raw<TableLayout | null>(null);

  constructor(host: Host, chrome: Chrome, book: BookState) {
    this.#host = host;
    this.#chrome = chrome;
    this.#book = book;
  }

  /** The saved view that is shown, if one is. */
  get savedView(): SavedView | null {
    return this.#book.view(this.#book.current.open);
  }

  /** How the table looks. */
  get layout(): TableLayout {
    return this.#draft ?? this.savedView?.layout ?? this.#book.current.layout;
  }

  /** Whether what is shown differs from the saved view. */
  get viewChanged(): boolean {
    const view = this.savedView;
    if (view === null) return false;
    const { text, sort, descending } = this.query;
    const asked = text !== view.query.text || sort !== view.query.sort || descending !== view.query.descending;
    return asked || !sameColumns(this.layout, view.layout);
  }

  /** Takes the query of the view that was shown last, before the table is opened. */
  adoptSavedView(): void {
    const view = this.savedView;
    if (view !== null) this.query = view.query;
  }

  /** Shows a saved view as it was saved; `null` shows all nodes. */
  async showView(name: string | null): Promise<void> {
    const view = this.#book.view(name);
    this.#draft = null;
    const asked = this.#ask(view?.query ?? { text: '', sort: 'name', descending: false });
    await Promise.all([asked, this.#book.change({ change: 'open', view: view?.name ?? null })]);
  }

  /** Saves what is shown under a name, and goes on showing that view. */
  async saveView(name: string): Promise<boolean> {
    const view = { name, query: this.query, layout: this.layout };
    if (!(await this.#book.change({ change: 'save_view', view }))) return false;
    this.#draft = null;
    return this.#book.change({ change: 'open', view: name });
  }

  async updateView(): Promise<void> {
    const view = this.savedView;
    if (view !== null) await this.saveView(view.name);
  }

  /** Shows the nodes used lately, the latest first. */
  showRecent(): void {
    void this.#ask({ text: 'is:recent', sort: 'used', descending: false });
  }

  /** Other columns: kept at once, but those of a saved view only when it is updated. */
  setLayout(layout: TableLayout): void {
    if (this.savedView === null) void this.#book.change({ change: 'layout', view: null, layout });
    else this.#draft = layout;
  }

  /** Other widths: always kept at once. */
  setWidths(layout: TableLayout): void {
    const view = this.savedView;
    if (view === null) {
      this.setLayout(layout);
      return;
    }
    if (this.#draft !== null) this.#draft = layout;
    void this.#book.change({ change: 'layout', view: view.name, layout: { ...view.layout, widths: layout.widths } });
  }

  /** Marks a node as a favourite, or takes the mark away. */
  setFavourite(row: NodeRow, on = !row.favourite): void {
    this.setFavourites([row], on);
  }

  /** Marks nodes as favourites, or takes the marks away. */
  setFavourites(rows: NodeRow[], on: boolean): void {
    void this.#book.change({ change: 'favourite', nodes: rows.map((row) => row.key), on }).then((done) => {
      if (!done) return;
      this.choice.starred(on);
      if (rows.some((row) => row.key === this.selectedKey)) void this.loadDetail();
    });
  }

  takeSummary(summary: FleetSummary): void {
    const changed = summary.version !== this.summary.version;
    this.summary = summary;
    if (changed && this.selectedKey !== null) this.#scheduleDetail(300);
  }

  /** A check of a session channel went on; the inspector shows it if it is about its node. */
  takeCheck(check: CheckRow): void {
    if (check.nodeKey === this.selectedKey) void this.loadDetail();
  }

  takeView(view: FleetViewState): void {
    if (this.view?.view !== view.view || view.version < this.view.version) return;
    this.#setView(view);
  }

  /** Opens the view anew: at the start and after the source changed. */
  async open(): Promise<void> {
    const attempt = ++this.#openAttempt;
    this.view = null;
    this.window = null;
    const view = await this.#chrome.run(this.#host.fleetViewOpen(this.query));
    if (!view || attempt !== this.#openAttempt) return;
    this.#setView(view);
  }

  /** Forgets the view; the host has closed it with its source. */
  leave(): void {
    this.#openAttempt += 1;
    this.view = null;
    this.window = null;
    this.select(null, -1);
    this.choice.begin(-1);
    this.query = { ...this.query, text: '' };
  }

  setText(text: string): void {
    if (text !== this.query.text) void this.#ask({ ...this.query, text });
  }

  sortBy(sort: SortColumn): void {
    const descending = this.query.sort === sort ? !this.query.descending : false;
    void this.#ask({ ...this.query, sort, descending });
  }

  /** The row at an index of the view, if it is in the window held. */
  rowAt(index: number): NodeRow | undefined {
    const held = this.window;
    return held ? held.rows[index - held.offset] : undefined;
  }

  /** The row of the selected node. By its key: while an order changes, another node may stand at the index. */
  selectedRow(): NodeRow | undefined {
    const key = this.selectedKey;
    if (key === null) return undefined;
    const held = this.window?.rows.find((row) => row.key === key);
    return held ?? (this.detail?.row.key === key ? this.detail.row : undefined);
  }

  /** The table shows rows `first` to `last`. */
  want(first: number, last: number): void {
    this.#wanted = { first, last };
    void this.#fetch();
  }

  /** While the pointer is over the table, rows do not move under it, for a while. */
  hold(held: boolean): void {
    window.clearTimeout(this.#holdTimer);
    this.#held = held;
    if (held) this.#holdTimer = window.setTimeout(() => this.hold(false), HOLD_MS);
    else void this.#fetch();
  }

  select(key: string | null, index: number): void {
    this.#findRun += 1;
    this.selectedIndex = index;
    if (key === this.selectedKey) return;
    this.selectedKey = key;
    if (key === null) this.detail = null;
    else this.#scheduleDetail(this.detail === null ? 0 : 60);
  }

  /** Selects the row at `index`, fetching it first where it is outside the window held. */
  async selectIndex(index: number): Promise<void> {
    const matched = this.view?.matched ?? 0;
    if (matched === 0) return;
    const at = Math.min(matched - 1, Math.max(0, index));
    // A search for the old selection must not take this one back.
    this.#findRun += 1;
    this.selectedIndex = at;
    const row = this.rowAt(at);
    if (row) {
      this.select(row.key, at);
      return;
    }
    const view = this.view?.view;
    if (view === undefined) return;
    const window = await this.#chrome.run(this.#host.fleetViewWindow(view, at, 1));
    const found = window?.rows[0];
    if (found && this.selectedIndex === at) this.select(found.key, at);
  }

  /** Selects a node wherever it stands in the view; false when the filter hides it. */
  async reveal(key: string): Promise<boolean> {
    const view = this.view?.view;
    if (view === undefined) return false;
    const index = await this.#chrome.run(this.#host.fleetViewFind(view, key));
    this.select(key, index ?? -1);
    return typeof index === 'number';
  }

  async typeAhead(prefix: string): Promise<void> {
    const view = this.view?.view;
    if (view === undefined) return;
    const from = Math.max(0, this.selectedIndex);
    const index = await this.#chrome.run(this.#host.fleetViewTypeAhead(view, prefix, from));
    if (typeof index === 'number') await this.selectIndex(index);
  }

  /** Lists one account-Region again. */
  retry(source: string, region: string): void {
    void this.#chrome.run(this.#host.fleetRefreshOne(source, region));
  }

  refresh(): void {
    void this.#chrome.run(this.summary.refreshing ? this.#host.fleetCancel() : this.#host.fleetRefresh());
  }

  /** Rows of the view, from what is held if it covers them. */
  async #rows(offset: number, len: number): Promise<readonly NodeRow[] | undefined> {
    const held = this.window;
    const first = held === null ? -1 : offset - held.offset;
    if (held && first >= 0 && held.version === this.view?.version && first + len <= held.rows.length) return held.rows.slice(first, first + len);
    const view = this.view?.view;
    if (view === undefined) return undefined;
    return (await this.#chrome.run(this.#host.fleetViewWindow(view, offset, len)))?.rows;
  }

  async #ask(query: FleetQuery): Promise<void> {
    // What a filter hides is not acted on.
    if (query.text !== this.query.text) this.choice.begin(-1);
    this.query = query;
    const view = this.view?.view;
    if (view === undefined) return;
    try {
      const answer = await this.#host.fleetViewQuery(view, query);
      if (this.query === query) this.#setView(answer);
    } catch (cause) {
      // The view went with its source; the text typed stays.
      if (HostError.from(cause).problem.code === 'not_found') await this.open();
      else await this.#chrome.run(Promise.reject(HostError.from(cause)));
    }
  }

  #setView(view: FleetViewState): void {
    if (this.view?.view === view.view && view.version < this.view.version) return;
    const moved = this.view?.version !== view.version;
    this.view = view;
    if (!moved) return;
    void this.#fetch();
    void this.#refind();
  }

  /** Keeps the selection on its node when the order changes. */
  async #refind(): Promise<void> {
    const { selectedKey: key, view } = this;
    if (key === null || view === null) return;
    const run = ++this.#findRun;
    try {
      const index = await this.#host.fleetViewFind(view.view, key);
      if (run === this.#findRun && this.selectedKey === key) this.selectedIndex = index ?? -1;
    } catch {
      // A view that is gone is opened anew by whoever asks it next; the selection itself is by key.
    }
  }

  /** One request at a time; what is wanted when it returns decides whether another follows. */
  async #fetch(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      for (;;) {
        const { view } = this;
        if (view === null) return;
        const { first, last } = this.#wanted;
        const covered = covers(this.window, view, first, last);
        const current = this.window?.view === view.view && this.window.version >= view.version;
        if (covered && (current || this.#held)) return;
        const { offset, len } = windowFor(first, last, view.matched);
        const window = await this.#host.fleetViewWindow(view.view, offset, len);
        if (this.view?.view !== window.view) continue;
        this.window = window;
        if (this.selectedKey === null && window.offset === 0 && window.rows[0]) this.select(window.rows[0].key, 0);
        if (window.version < view.version) return;
      }
    } catch (cause) {
      if (HostError.from(cause).problem.code !== 'not_found') this.#chrome.failure = HostError.from(cause).problem;
    } finally {
      this.#fetching = false;
    }
  }

  /** Reads the detail after a delay. One that is due earlier stays, else a fleet that keeps changing would put it off for ever. */
  #scheduleDetail(delayMs: number): void {
    const due = performance.now() + delayMs;
    if (this.#detailDue !== 0 && this.#detailDue <= due) return;
    window.clearTimeout(this.#detailTimer);
    this.#detailDue = due;
    this.#detailTimer = window.setTimeout(() => {
      this.#detailDue = 0;
      void this.loadDetail();
    }, delayMs);
  }

  async loadDetail(): Promise<void> {
    const key = this.selectedKey;
    if (key === null) return;
    try {
      const detail = await this.#host.fleetNode(key);
      if (this.selectedKey === key) this.detail = detail;
    } catch (cause) {
      if (this.selectedKey !== key) return;
      if (HostError.from(cause).problem.code === 'not_found') this.select(null, -1);
      else this.#chrome.failure = HostError.from(cause).problem;
    }
  }
}
