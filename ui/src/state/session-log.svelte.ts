import type { HistoryRow, Host, LogStore, SessionEventList, SessionLog } from '../host/types';
import type { Chrome } from './chrome.svelte';

/** Characters of a log that are held; the file has all of it. */
export const MOST_CHARS = 8_000_000;

/** The log and the calls of one session, as far as they were read. */
export class SessionLogState {
  row = $state.raw<HistoryRow | null>(null);
  shows = $state<'log' | 'events'>('log');
  /** The part that was read last, without its text. */
  part = $state.raw<SessionLog | null>(null);
  /** Grows in place; `version` tells that it did. */
  lines: string[] = [];
  version = $state(0);
  busy = $state(false);
  events = $state.raw<SessionEventList | null>(null);
  saved = $state.raw<string | null>(null);

  #chars = 0;
  /** Counts what was asked for, so that an answer to an older question is not taken. */
  #asked = 0;

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  get isFull(): boolean {
    void this.version;
    return this.#chars >= MOST_CHARS;
  }

  get lineCount(): number {
    void this.version;
    // The last piece is a line only if something is on it.
    return this.lines.at(-1) === '' ? this.lines.length - 1 : this.lines.length;
  }

  open(row: HistoryRow, shows: 'log' | 'events', store: LogStore | null = null): void {
    this.row = row;
    this.events = null;
    this.part = null;
    this.shows = shows;
    if (shows === 'log') void this.begin(store);
    else void this.lookUp();
  }

  close(): void {
    this.#asked += 1;
    this.row = null;
    this.part = null;
    this.#clear();
  }

  show(shows: 'log' | 'events'): void {
    this.shows = shows;
    if (shows === 'events' && this.events === null) void this.lookUp();
    if (shows === 'log' && this.part === null) void this.begin(null);
  }

  /** Reads from the start, where it was recorded or from the best place. */
  async begin(store: LogStore | null): Promise<void> {
    this.#clear();
    this.part = null;
    this.saved = null;
    await this.#read(store, null);
  }

  /** Reads the next part, or what came since. */
  async readOn(): Promise<void> {
    const { part } = this;
    if (this.busy || part === null || part.next === null || this.isFull) return;
    await this.#read(part.store, part.next);
  }

  /** Reads to the end, as far as it is held. */
  async readAll(): Promise<void> {
    const { row } = this;
    while (this.row === row && this.part !== null && !this.part.isEnd && this.part.state === 'text' && !this.isFull) {
      const before = this.part;
      await this.readOn();
      if (this.part === before) return;
    }
  }

  async save(): Promise<void> {
    const { row, part } = this;
    if (!row) return;
    const path = await this.#chrome.run(this.#host.sessionLogSave(row.key, part?.store ?? null));
    if (path !== undefined && this.row === row) this.saved = path;
  }

  async replay(): Promise<void> {
    const { row, part } = this;
    if (row) await this.#chrome.run(this.#host.sessionLogReplay(row.key, part?.store ?? null));
  }

  async lookUp(): Promise<void> {
    const { row } = this;
    if (!row) return;
    this.events = null;
    const events = await this.#chrome.run(this.#host.sessionEvents(row.key));
    if (events && this.row === row) this.events = events;
  }

  #clear(): void {
    this.lines = [];
    this.#chars = 0;
    this.version += 1;
  }

  async #read(store: LogStore | null, at: string | null): Promise<void> {
    const { row } = this;
    if (!row) return;
    this.#asked += 1;
    const asked = this.#asked;
    this.busy = true;
    try {
      const part = await this.#chrome.run(this.#host.sessionLog({ key: row.key, store, at }));
      if (asked !== this.#asked || !part) return;
      this.#append(part.text);
      this.part = { ...part, text: '' };
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }

  #append(text: string): void {
    if (text === '') return;
    this.#chars += text.length;
    const more = text.split('\n');
    const first = more.shift() ?? '';
    this.lines.push((this.lines.pop() ?? '') + first);
    for (const line of more) this.lines.push(line);
    this.version += 1;
  }
}

/** Numbers of the lines that hold `needle`, case ignored. */
export function hitsIn(lines: readonly string[], needle: string): number[] {
  const wanted = needle.toLowerCase();
  const found: number[] = [];
  if (wanted === '') return found;
  for (let i = 0; i < lines.length; i += 1) {
    if (lines[i]?.toLowerCase().includes(wanted)) found.push(i);
  }
  return found;
}
