import type { ForwardDetail, ForwardRow, Forwards, ForwardSpec, Host } from '../host/types';
import type { Chrome } from './chrome.svelte';

/** Forwards that are switched with one another; `null` holds those in no bundle. */
export interface Bundle {
  name: string | null;
  rows: ForwardRow[];
}

/** Rows by bundle, in the host's order; what is in no bundle comes last. */
export function bundlesOf(rows: ForwardRow[]): Bundle[] {
  const names = [...new Set(rows.map((row) => row.spec.bundle))].sort((a, b) => Number(a === null) - Number(b === null));
  return names.map((name) => ({ name, rows: rows.filter((row) => row.spec.bundle === name) }));
}

/** What a bundle's switch shows. */
export function switchOf(rows: ForwardRow[]): 'true' | 'false' | 'mixed' {
  const on = rows.filter((row) => row.on).length;
  return on === 0 ? 'false' : on === rows.length ? 'true' : 'mixed';
}

/** Whether a row has `text` in one of the places a person would look for. */
export function matches(row: ForwardRow, text: string): boolean {
  const places = [row.spec.name, row.spec.bundle ?? '', row.nodeName, row.nodeId, row.local, row.remote, row.accountName];
  return places.some((place) => place.toLowerCase().includes(text.toLowerCase()));
}

export class ForwardsState {
  rows = $state.raw<ForwardRow[]>([]);
  paused = $state(false);
  filter = $state('');
  selectedId = $state<string | null>(null);
  detail = $state.raw<ForwardDetail | null>(null);
  /** Bundles whose rows are folded away, by name. */
  folded = $state.raw<ReadonlySet<string | null>>(new Set());
  #versions = new Map<string, number>();
  #loading = false;
  #again = false;

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  /** What the filter leaves. */
  get shown(): ForwardRow[] {
    const text = this.filter.trim();
    return text === '' ? this.rows : this.rows.filter((row) => matches(row, text));
  }

  /** Rows that can be walked through by key: those of bundles that are not folded. */
  get walkable(): ForwardRow[] {
    return bundlesOf(this.shown).flatMap((bundle) => (this.folded.has(bundle.name) ? [] : bundle.rows));
  }

  get selected(): ForwardRow | null {
    return this.rows.find((row) => row.id === this.selectedId) ?? null;
  }

  /** Forwards that listen, whatever else they do. */
  get running(): number {
    return this.rows.filter((row) => row.on && row.state.state !== 'paused' && row.state.state !== 'port_in_use').length;
  }

  get lanes(): number {
    return this.rows.reduce((sum, row) => sum + row.lanes, 0);
  }

  takeAll(forwards: Forwards, version: number): void {
    const known = new Map(this.rows.map((row) => [row.id, row]));
    this.rows = forwards.rows.map((row) => ((this.#versions.get(row.id) ?? 0) > version ? (known.get(row.id) ?? row) : row));
    this.paused = forwards.paused;
    for (const id of this.#versions.keys()) if (!this.rows.some((row) => row.id === id)) this.#versions.delete(id);
    if (this.selected === null) this.select(null);
    else void this.loadDetail();
  }

  takeOne(row: ForwardRow, version: number): void {
    const before = this.rows.find((one) => one.id === row.id);
    this.#versions.set(row.id, version);
    this.rows = this.rows.map((one) => (one.id === row.id ? row : one));
    if (before && before.state.state !== 'failed' && row.state.state === 'failed') this.#chrome.alert(`${row.spec.name}: ${row.state.problem.message}`);
    if (row.id === this.selectedId) void this.loadDetail();
  }

  select(id: string | null): void {
    this.selectedId = id;
    if (id === null) this.detail = null;
    else void this.loadDetail();
  }

  /** Steps through the rows on screen. */
  step(by: number): void {
    const rows = this.walkable;
    const at = rows.findIndex((row) => row.id === this.selectedId);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) this.select(next.id);
  }

  fold(name: string | null): void {
    const folded = new Set(this.folded);
    if (!folded.delete(name)) folded.add(name);
    this.folded = folded;
  }

  /** Asks for the selected forward's detail; while one question runs, one more is remembered. */
  async loadDetail(): Promise<void> {
    if (this.#loading) {
      this.#again = true;
      return;
    }
    const id = this.selectedId;
    if (id === null) return;
    this.#loading = true;
    try {
      const detail = await this.#host.forwardDetail(id);
      if (this.selectedId === id) this.detail = detail;
    } catch {
      // It was removed meanwhile; the list says so.
      if (this.selectedId === id) this.detail = null;
    } finally {
      this.#loading = false;
    }
    if (this.#again) {
      this.#again = false;
      void this.loadDetail();
    }
  }

  async create(spec: ForwardSpec): Promise<ForwardRow> {
    const row = await this.#host.forwardCreate(spec);
    this.#put(row);
    return row;
  }

  async edit(id: string, spec: ForwardSpec): Promise<void> {
    this.#put(await this.#host.forwardEdit(id, spec));
  }

  switch(row: ForwardRow, on = !row.on): void {
    void this.#chrome.run(this.#host.forwardSwitch(row.id, on));
  }

  switchBundle(bundle: Bundle): void {
    void this.#chrome.run(this.#host.forwardBundle(bundle.name, switchOf(bundle.rows) !== 'true'));
  }

  pause(paused: boolean): void {
    void this.#chrome.run(this.#host.forwardsPause(paused));
  }

  retry(row: ForwardRow): void {
    void this.#chrome.run(this.#host.forwardRetry(row.id));
  }

  /** Listens on another port from now on. */
  usePort(row: ForwardRow, localPort: number): void {
    void this.#chrome.run(this.edit(row.id, { ...row.spec, localPort }));
  }

  disconnect(row: ForwardRow, connection: number | null): void {
    void this.#chrome.run(this.#host.forwardDisconnect(row.id, connection));
  }

  remove(row: ForwardRow): void {
    void this.#chrome.run(this.#host.forwardRemove(row.id));
  }

  #put(row: ForwardRow): void {
    const known = this.rows.some((one) => one.id === row.id);
    this.rows = known ? this.rows.map((one) => (one.id === row.id ? row : one)) : [...this.rows, row];
    this.select(row.id);
  }
}
