import { tick } from 'svelte';

import { HostError } from '../host/types';
import type {
  CommandError, DocumentDetail, DocumentEdit, DocumentLine, DocumentPlace, DocumentReading, DocumentRow, DocumentSessionType, Host,
} from '../host/types';
import type { Chrome } from './chrome.svelte';

/** A document in the editor. It stays while another one is looked at, if something was typed into it. */
export interface OpenDocument {
  place: DocumentPlace;
  name: string;
  title: string;
  /** As AWS has it; null for one that is made now. */
  detail: DocumentDetail | null;
  reading: DocumentReading;
  dirty: boolean;
  /** Hash of the version that saving builds upon; null makes a new document. */
  baseHash: string | null;
}

/** What stands beside the open document in a comparison. */
export interface Comparison {
  label: string;
  lines: DocumentLine[];
}

const keyOf = (place: DocumentPlace, name: string) => `${place.source}/${place.region}/${name}`;
const TYPES_AT_ONCE = 50;

export class DocumentsState {
  place = $state.raw<DocumentPlace | null>(null);
  rows = $state.raw<DocumentRow[]>([]);
  loading = $state(false);
  /** Why the list could not be read. */
  problem = $state.raw<CommandError | null>(null);
  filter = $state('');
  /** Whether the field of the filter is shown. */
  searching = $state(false);
  open = $state.raw<OpenDocument | null>(null);
  opening = $state<string | null>(null);
  comparison = $state.raw<Comparison | null>(null);
  saving = $state(false);
  /** Why the last saving did nothing. */
  refusal = $state.raw<CommandError | null>(null);
  makeDefault = $state(false);

  /** Drafts that are not in front. */
  #drafts = $state.raw<ReadonlyMap<string, OpenDocument>>(new Map());
  #listing = 0;
  #reading = 0;
  /** Edits are made one after the other, each upon the text of the last. */
  #edits: Promise<void> = Promise.resolve();

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  /** Shows the field of the filter and gives it the focus. */
  search(): void {
    this.searching = true;
    void tick().then(() => document.getElementById('document-filter')?.focus());
  }

  /** Hides the field; every document is listed again. */
  stopSearching(): void {
    this.searching = false;
    this.filter = '';
  }

  /** What the filter leaves. */
  get shown(): DocumentRow[] {
    const text = this.filter.trim().toLowerCase();
    return text === '' ? this.rows : this.rows.filter((row) => row.title.toLowerCase().includes(text));
  }

  get errors() {
    return this.open?.reading.problems.filter((problem) => problem.error) ?? [];
  }

  /** Whether the open document may be saved by this account. */
  get writable(): boolean {
    return this.open !== null && (this.open.detail === null || this.ownerOf(this.open) === 'mine');
  }

  ownerOf(open: OpenDocument) {
    if (open.detail === null) return 'mine';
    return this.rows.find((row) => row.name === open.name)?.owner ?? (open.detail.ownerId === 'Amazon' ? 'aws' : open.name.startsWith('arn:') ? 'shared' : 'mine');
  }

  /** Number of the version that saving would make. */
  get nextVersion(): string {
    const latest = this.open?.detail?.latestVersion;
    return latest === undefined ? '1' : String(Number(latest) + 1);
  }

  draftOf(place: DocumentPlace, name: string): OpenDocument | null {
    const open = this.open;
    if (open?.dirty && keyOf(open.place, open.name) === keyOf(place, name)) return open;
    return this.#drafts.get(keyOf(place, name)) ?? null;
  }

  /** Drafts of documents that AWS does not have yet. */
  newDrafts(place: DocumentPlace): OpenDocument[] {
    const all = [...this.#drafts.values(), ...(this.open ? [this.open] : [])];
    return all.filter((draft) => draft.detail === null && keyOf(draft.place, '') === keyOf(place, ''));
  }

  /** Another fleet: everything belongs to the one that was left. */
  leave(): void {
    this.#listing += 1;
    this.place = null;
    this.rows = [];
    this.problem = null;
    this.open = null;
    this.comparison = null;
    this.#drafts = new Map();
  }

  async list(place: DocumentPlace): Promise<void> {
    const number = ++this.#listing;
    const moved = this.place === null || keyOf(this.place, '') !== keyOf(place, '');
    if (moved) {
      this.rows = [];
      this.#put(null);
    }
    this.place = place;
    this.loading = true;
    this.problem = null;
    try {
      const rows = await this.#host.documentsList(place);
      if (number !== this.#listing) return;
      const known = new Map(this.rows.map((row) => [row.name, row.sessionType]));
      this.rows = rows.map((row) => ({ ...row, sessionType: row.sessionType ?? known.get(row.name) ?? null }));
      this.loading = false;
      await this.#readTypes(place, number);
    } catch (cause) {
      if (number === this.#listing) this.problem = HostError.from(cause).problem;
    } finally {
      if (number === this.#listing) this.loading = false;
    }
  }

  async #readTypes(place: DocumentPlace, number: number): Promise<void> {
    const unknown = this.rows.filter((row) => row.sessionType === null).map((row) => row.name);
    for (let at = 0; at < unknown.length; at += TYPES_AT_ONCE) {
      const types = await this.#host.documentsTypes(place, unknown.slice(at, at + TYPES_AT_ONCE));
      if (number !== this.#listing) return;
      const found = new Map(types.map((row) => [row.name, row.sessionType]));
      this.rows = this.rows.map((row) => ({ ...row, sessionType: row.sessionType ?? found.get(row.name) ?? null }));
    }
  }

  /** Shows a document: its draft if there is one and no version is asked for. */
  async show(name: string, version: string | null = null): Promise<void> {
    const place = this.place;
    if (!place) return;
    const draft = version === null ? this.draftOf(place, name) : null;
    if (draft) {
      this.#put(draft);
      return;
    }
    this.opening = name;
    const detail = await this.#chrome.run(this.#host.documentOpen(place, name, version));
    if (this.opening !== name) return;
    this.opening = null;
    if (!detail) return;
    this.#put({ place, name, title: detail.title, detail, reading: detail.reading, dirty: false, baseHash: detail.latestHash });
  }

  /** Begins a document that AWS does not have. */
  async begin(name: string, from: DocumentSessionType | DocumentReading): Promise<void> {
    const place = this.place;
    if (!place) return;
    const reading = typeof from === 'string' ? await this.#chrome.run(this.#host.documentTemplate(from)) : from;
    if (reading) this.#put({ place, name, title: name, detail: null, reading, dirty: true, baseHash: null });
  }

  #put(next: OpenDocument | null): void {
    const before = this.open;
    const drafts = new Map(this.#drafts);
    if (before?.dirty) drafts.set(keyOf(before.place, before.name), before);
    if (next) drafts.delete(keyOf(next.place, next.name));
    this.#drafts = drafts;
    this.open = next;
    this.comparison = null;
    this.refusal = null;
    this.makeDefault = false;
    this.opening = null;
  }

  /** Takes what was typed into the text; it is read when the last reading has come back. */
  type(text: string): void {
    const open = this.open;
    if (!open || open.reading.text === text) return;
    this.open = { ...open, dirty: true, reading: { ...open.reading, text } };
    const number = ++this.#reading;
    void this.#host.documentRead(text).then((reading) => {
      if (number === this.#reading && this.open?.reading.text === text) this.open = { ...this.open, reading };
    }, (cause: unknown) => this.#chrome.run(Promise.reject(HostError.from(cause))));
  }

  /** Makes an edit of the form in the text. */
  edit(edit: DocumentEdit): Promise<void> {
    const name = this.open?.name;
    this.#edits = this.#edits.then(async () => {
      const open = this.open;
      if (!open || open.name !== name) return;
      const reading = await this.#chrome.run(this.#host.documentEdit(open.reading.text, edit));
      if (!reading || this.open?.name !== name) return;
      this.#reading += 1;
      this.open = { ...this.open, reading, dirty: this.open.dirty || reading.text !== open.reading.text };
    });
    return this.#edits;
  }

  discard(): void {
    const open = this.open;
    if (!open) return;
    this.open = { ...open, dirty: false };
    if (open.detail === null) this.#put(null);
    else void this.show(open.name, open.detail.version === open.detail.defaultVersion ? null : open.detail.version);
  }

  /** Saves. `base` builds upon another version than the one the edit began with. */
  async save(base: string | null = this.open?.baseHash ?? null): Promise<{ version: string; defaultVersion: string; isNew: boolean } | null> {
    await this.#edits;
    const open = this.open;
    if (!open || this.saving) return null;
    this.saving = true;
    this.refusal = null;
    try {
      const saved = await this.#host.documentSave(open.place, { name: open.name, text: open.reading.text, baseHash: base, makeDefault: this.makeDefault });
      if (this.open?.name === open.name) this.open = { ...open, dirty: false };
      await this.show(open.name, saved.version);
      void this.list(open.place);
      return saved;
    } catch (cause) {
      this.refusal = HostError.from(cause).problem;
      this.#chrome.alert(this.refusal.message);
      return null;
    } finally {
      this.saving = false;
    }
  }

  /** After a conflict: shows what the others saved beside the text. */
  async compareWithLatest(): Promise<void> {
    const open = this.open;
    if (!open) return;
    const latest = await this.#latest(open);
    if (latest) await this.compare(latest.reading.text, latest.version);
  }

  /** After a conflict: saves on top of what the others saved. */
  async saveOnTop(): Promise<void> {
    const open = this.open;
    if (!open) return;
    const latest = await this.#latest(open);
    if (latest) await this.save(latest.latestHash);
  }

  async #latest(open: OpenDocument): Promise<DocumentDetail | undefined> {
    const now = await this.#chrome.run(this.#host.documentOpen(open.place, open.name, null));
    if (!now || now.latestVersion === now.version) return now;
    return this.#chrome.run(this.#host.documentOpen(open.place, open.name, now.latestVersion));
  }

  /** Compares a version with the text of the open document. */
  async compareVersion(version: string): Promise<void> {
    const open = this.open;
    if (!open) return;
    const other = await this.#chrome.run(this.#host.documentOpen(open.place, open.name, version));
    if (other && this.open?.name === open.name) await this.compare(other.reading.text, version);
  }

  async compare(old: string, version: string): Promise<void> {
    const text = this.open?.reading.text;
    if (text === undefined) return;
    const lines = await this.#chrome.run(this.#host.documentCompare(old, text));
    if (lines) this.comparison = { label: version, lines };
  }

  async setDefault(version: string): Promise<void> {
    const open = this.open;
    if (!open) return;
    const done = await this.#chrome.run(this.#host.documentSetDefault(open.place, open.name, version).then(() => true));
    if (done !== true) return;
    if (this.open?.name === open.name && !this.open.dirty) await this.show(open.name, version);
    else if (this.open?.name === open.name && this.open.detail) this.open = { ...this.open, detail: { ...this.open.detail, defaultVersion: version } };
    void this.list(open.place);
  }

  async remove(version: string | null): Promise<void> {
    const open = this.open;
    if (!open) return;
    const done = await this.#chrome.run(this.#host.documentDelete(open.place, open.name, version).then(() => true));
    if (done !== true) return;
    if (this.open?.name === open.name) {
      this.open = { ...this.open, dirty: false };
      if (version === null) this.#put(null);
      else await this.show(open.name, open.detail?.defaultVersion ?? null);
    }
    void this.list(open.place);
  }
}
