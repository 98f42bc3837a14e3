import type { HistoryKind, HistoryStatus } from '../host/types';
import type { GlyphName, IconName } from '../parts/glyphs';

export const STATUS_GLYPH: Record<HistoryStatus, GlyphName> = {
  connected: 'ready', connecting: 'check', disconnected: 'lost', ended: 'done', timed_out: 'warn', terminating: 'check', failed: 'fail', unknown: 'idle',
};

export const KIND_ICON: Record<HistoryKind, IconName> = {
  shell: 'shell', command: 'log', forward: 'host', ssh: 'port', document: 'documents',
};

/** Where a slot of the table leads: a head of a group, or a row by its index. */
export type Slot = { head: 'active' | 'ended' } | { index: number };

/** The slots of a list in which active rows stand before ended ones, each group under a head. */
export function slotAt(slot: number, active: number, ended: number, grouped: boolean): Slot {
  if (!grouped) return { index: slot };
  if (active > 0) {
    if (slot === 0) return { head: 'active' };
    if (slot <= active) return { index: slot - 1 };
    slot -= active + 1;
  }
  if (ended > 0 && slot === 0) return { head: 'ended' };
  return { index: active + slot - 1 };
}

/** The slot of a row; the inverse of `slotAt`. */
export function slotOf(index: number, active: number, grouped: boolean): number {
  if (!grouped) return index;
  return index < active ? index + 1 : index + (active > 0 ? 2 : 1);
}
