import type { AccountRegionRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { GlyphName } from '../parts/glyphs';

/** How an account-Region stands, in a cell. */
export interface Cell {
  glyph: GlyphName;
  words: string;
  tone: '' | 'bad' | 't3';
}

/** Silhouette and words of an account-Region. */
export function cellOf(row: AccountRegionRow): Cell {
  const m = language.m.acc;
  switch (row.state) {
    case 'waiting': return { glyph: 'wait', words: m.waitingScope, tone: 't3' };
    case 'loading': return { glyph: 'check', words: m.loading, tone: 't3' };
    case 'denied': return { glyph: 'block', words: m.denied, tone: 'bad' };
    case 'failed': return { glyph: 'fail', words: m.failed, tone: 'bad' };
    case 'loaded': return row.nodes === 0 ? { glyph: 'off', words: m.empty, tone: 't3' } : { glyph: 'ready', words: m.nodes(row.nodes), tone: '' };
  }
}

/** Sources down, Regions across, in the order in which they are listed. */
export interface Matrix {
  regions: string[];
  lines: { source: string; cells: (AccountRegionRow | null)[] }[];
}

/** The account-Regions of the fleet as a matrix. */
export function matrixOf(rows: AccountRegionRow[]): Matrix {
  const regions = [...new Set(rows.map((row) => row.region))].sort();
  const sources = [...new Set(rows.map((row) => row.source))];
  const find = (source: string, region: string) => rows.find((row) => row.source === source && row.region === region) ?? null;
  return { regions, lines: sources.map((source) => ({ source, cells: regions.map((region) => find(source, region)) })) };
}

/** Why nodes of a source are missing, once for all its Regions with the same cause. */
export interface Trouble {
  /** The first account-Region it is about. */
  first: AccountRegionRow;
  regions: string[];
  message: string;
}

/** What is wrong with account-Regions, in the order in which they are listed. */
export function troublesOf(rows: AccountRegionRow[]): Trouble[] {
  const troubles: Trouble[] = [];
  for (const row of rows) {
    if (row.problem === null) continue;
    const message = row.problem.message;
    const known = troubles.find((one) => one.first.source === row.source && one.first.state === row.state && one.message === message);
    if (known) known.regions.push(row.region);
    else troubles.push({ first: row, regions: [row.region], message });
  }
  return troubles;
}
