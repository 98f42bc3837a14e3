import type { NodeRow } from '../host/types';

/** Most nodes that are chosen together. */
export const CHOICE_LIMIT = 1000;

/** Rows the host gives at once. */
const STEP = 200;

/** Reads rows of the view that is shown; `undefined` when it is gone. */
type Read = (offset: number, len: number) => Promise<readonly NodeRow[] | undefined>;

/** Nodes chosen together in the fleet's table, by key: they stay chosen while the list moves. */
export class FleetChoice {
  rows = $state.raw<ReadonlyMap<string, NodeRow>>(new Map());
  /** Whether more was asked for than can be chosen together. */
  full = $state(false);

  /** Where a range begins. */
  #anchor = -1;
  #run = 0;
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  /** The row that acts beside those chosen: a range from here on, and part of what is chosen one by one. */
  begin(index: number): void {
    this.clear();
    this.#anchor = index;
  }

  clear(): void {
    this.#run += 1;
    this.full = false;
    if (this.rows.size > 0) this.rows = new Map();
  }

  /** Adds a row or takes it out. `before`: the row that was selected alone, which stays chosen. */
  toggle(row: NodeRow, index: number, before: NodeRow | undefined): void {
    this.#run += 1;
    const rows = new Map(this.rows);
    if (rows.size === 0 && before && before.key !== row.key) rows.set(before.key, before);
    if (!rows.delete(row.key)) {
      if (rows.size >= CHOICE_LIMIT) {
        this.full = true;
        return;
      }
      rows.set(row.key, row);
    }
    this.full = false;
    this.rows = rows;
    this.#anchor = index;
  }

  /** Those chosen became favourites, or are none any more. */
  starred(favourite: boolean): void {
    this.rows = new Map([...this.rows].map(([key, row]) => [key, { ...row, favourite }]));
  }

  /** Chooses every row between where the range begins (`from`, if it has no beginning yet) and `to`. */
  async extend(from: number, to: number): Promise<void> {
    if (this.#anchor < 0) this.#anchor = Math.max(0, from);
    const anchor = this.#anchor;
    if (to >= anchor) await this.#take(anchor, to);
    else await this.#take(Math.max(to, anchor - CHOICE_LIMIT + 1), anchor, anchor - to + 1 > CHOICE_LIMIT);
  }

  /** Chooses everything the view shows. */
  async all(matched: number): Promise<void> {
    if (matched > 0) await this.#take(0, matched - 1);
  }

  async #take(first: number, last: number, cut = last - first + 1 > CHOICE_LIMIT): Promise<void> {
    const run = (this.#run += 1);
    const end = Math.min(last, first + CHOICE_LIMIT - 1);
    const rows = new Map<string, NodeRow>();
    for (let offset = first; offset <= end; offset += STEP) {
      const read = await this.#read(offset, Math.min(STEP, end - offset + 1));
      if (run !== this.#run || read === undefined) return;
      for (const row of read) rows.set(row.key, row);
    }
    this.full = cut;
    this.rows = rows;
  }
}
