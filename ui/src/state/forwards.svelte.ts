import type { Arrangement, ForwardDetail, ForwardRow, Forwards, ForwardSpec, Host } from '../host/types';
import type { Chrome } from './chrome.svelte';

/** Forwards that are switched with one another; `null` holds those in no bundle. */
export interface Bundle {
  name: string | null;
  rows: ForwardRow[];
}

/** Where the cursor of the list can stand. */
export type Stop = { head: Bundle; row?: undefined } | { row: ForwardRow; head?: undefined };

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
  /** Name of the bundle whose head the cursor is on; undefined while it is on a row. */
  head = $state.raw<string | null | undefined>(undefined);
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

  /** What can be walked through by key: the heads of bundles, and the rows of those that are not folded. */
  get walkable(): Stop[] {
    return bundlesOf(this.shown).flatMap((bundle) => [
      { head: bundle },
      ...(this.folded.has(bundle.name) ? [] : bundle.rows.map((row) => ({ row }))),
    ]);
  }

  /** The bundle whose head the keys are for; null when they are for a row. */
  get headed(): Bundle | null {
    return this.head === undefined ? null : (bundlesOf(this.shown).find((bundle) => bundle.name === this.head) ?? null);
  }

  get selected(): ForwardRow | null {
    return this.rows.find((row) => row.id === this.selectedId) ?? null;
  }

  /** Forwards that listen, whatever else they do. */
  get running(): number {
    return this.rows.filter((row) => row.on && row.state.state !== 'paused' && row.state.state !== 'port_in_use' && row.state.state !== 'exposes').length;
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
    this.head = undefined;
    this.selectedId = id;
    if (id === null) this.detail = null;
    else void this.loadDetail();
  }

  /** Steps through what is on screen. */
  step(by: number): void {
    const stops = this.walkable;
    const at = stops.findIndex((stop) => (this.head !== undefined ? stop.head?.name === this.head : stop.row?.id === this.selectedId));
    // The first step leads to the first row, not to the head above it.
    const next = stops[Math.min(stops.length - 1, Math.max(0, at < 0 ? 1 : at + by))] ?? stops[0];
    if (next?.row) this.select(next.row.id);
    else if (next) this.head = next.head.name;
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

  async edit(id: string, spec: ForwardSpec): Promise<ForwardRow> {
    const row = await this.#host.forwardEdit(id, spec);
    this.#put(row);
    return row;
  }

  switch(row: ForwardRow, on = !row.on): void {
    void this.#switch(row, on);
  }

  /** What lets other computers in is asked about at once. */
  async #switch(row: ForwardRow, on: boolean): Promise<void> {
    await this.#chrome.run(this.#host.forwardSwitch(row.id, on));
    const now = this.rows.find((one) => one.id === row.id);
    if (on && now?.state.state === 'exposes') this.#chrome.open({ kind: 'expose', row: now, address: now.state.address });
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

  arrange(arrangement: Arrangement | null): void {
    if (arrangement) void this.#chrome.run(this.#host.forwardsArrange(arrangement));
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
