import type { SortColumn } from '../host/types';

/** A column of the fleet table. */
export interface Column {
  id: SortColumn;
  /** Least width in CSS pixels. */
  min: number;
  /** Share of the width that is left over; 0 keeps the column at `min`. */
  grow: number;
}

/** All columns in order. */
export const COLUMNS: readonly Column[] = [
  { id: 'readiness', min: 28, grow: 0 },
  { id: 'name', min: 102, grow: 0.35 },
  { id: 'node_id', min: 144, grow: 0 },
  { id: 'kind', min: 104, grow: 0 },
  { id: 'platform', min: 100, grow: 0 },
  { id: 'account', min: 180, grow: 1 },
  { id: 'ip', min: 97, grow: 0 },
  { id: 'agent', min: 93, grow: 0 },
  { id: 'tier', min: 80, grow: 0 },
  { id: 'ping', min: 56, grow: 0 },
];

/** What goes first when the table is too narrow; the rest stays. */
const DROP_ORDER: readonly SortColumn[] = ['ping', 'ip', 'platform', 'agent', 'kind'];

/** The columns that fit `width` CSS pixels. */
export function columnsFor(width: number): Column[] {
  let left = [...COLUMNS];
  const needed = () => left.reduce((sum, column) => sum + column.min, 0);
  for (const id of DROP_ORDER) {
    if (needed() <= width) break;
    left = left.filter((column) => column.id !== id);
  }
  return left;
}

/** The columns as a CSS grid template. */
export function template(columns: readonly Column[]): string {
  return columns.map(({ min, grow }) => (grow > 0 ? `minmax(${min}px, ${grow}fr)` : `${min}px`)).join(' ');
}
