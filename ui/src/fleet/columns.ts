import type { ColumnWidth, SortColumn, TableLayout } from '../host/types';

/** A column of the fleet table. */
export interface Column {
  id: SortColumn;
  /** Least width in CSS pixels, or the width a person gave it. */
  min: number;
  /** Share of the width that is left over; 0 keeps the column at `min`. */
  grow: number;
}

/** All columns; the first ones are shown unless a person chose others. */
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
  { id: 'computer_name', min: 130, grow: 0.3 },
  { id: 'public_ip', min: 97, grow: 0 },
  { id: 'instance_state', min: 80, grow: 0 },
  { id: 'instance_type', min: 92, grow: 0 },
  { id: 'availability_zone', min: 104, grow: 0 },
  { id: 'vpc_id', min: 146, grow: 0 },
  { id: 'iam_role', min: 130, grow: 0.3 },
  { id: 'registered', min: 92, grow: 0 },
  { id: 'used', min: 76, grow: 0 },
  { id: 'tags', min: 160, grow: 1 },
];

/** The columns of a table nobody has changed. */
export const DEFAULT_COLUMNS: readonly SortColumn[] = [
  'readiness', 'name', 'node_id', 'kind', 'platform', 'account', 'ip', 'agent', 'tier', 'ping',
];

/** Columns that are always there, in this order, at the beginning. */
export const FIXED: readonly SortColumn[] = ['readiness', 'name'];

/** Narrowest and widest a person can make a column, in CSS pixels. */
export const WIDTH = { min: 40, max: 600 } as const;

/** What goes first when the table is too narrow, after what a person added; the rest stays. */
const DROP_ORDER: readonly SortColumn[] = ['ping', 'ip', 'platform', 'agent', 'kind'];

/** Names of columns in files of the command line program. */
const ALIASES: Record<string, SortColumn> = { agent_version: 'agent' };

/** The columns a layout shows, in order, whatever the width. */
export function chosenColumns(layout: TableLayout): SortColumn[] {
  const known = layout.columns
    .map((name) => COLUMNS.find((column) => column.id === (ALIASES[name] ?? name))?.id)
    .filter((id): id is SortColumn => id !== undefined);
  const wanted = known.length === 0 ? DEFAULT_COLUMNS : known;
  return [...FIXED, ...new Set(wanted.filter((id) => !FIXED.includes(id)))];
}

/** The columns of a layout that fit `width` CSS pixels. */
export function columnsFor(width: number, layout: TableLayout = { columns: [], widths: [] }): Column[] {
  const widths = new Map(layout.widths.map(({ column, px }) => [column, px]));
  let left = chosenColumns(layout).map((id): Column => {
    const column = COLUMNS.find((one) => one.id === id) as Column;
    const px = id === 'readiness' ? undefined : widths.get(id);
    return px === undefined ? column : { id, min: px, grow: 0 };
  });
  const added = left.map((column) => column.id).filter((id) => !DEFAULT_COLUMNS.includes(id)).reverse();
  const needed = () => left.reduce((sum, column) => sum + column.min, 0);
  for (const id of [...added, ...DROP_ORDER]) {
    if (needed() <= width) break;
    left = left.filter((column) => column.id !== id);
  }
  return left;
}

/** The columns as a CSS grid template. */
export function template(columns: readonly Column[]): string {
  return columns.map(({ min, grow }) => (grow > 0 ? `minmax(${min}px, ${grow}fr)` : `${min}px`)).join(' ');
}

/** The layout with a column shown or hidden; a shown one comes last. */
export function withColumn(layout: TableLayout, id: SortColumn, shown: boolean): TableLayout {
  const columns = chosenColumns(layout).filter((one) => one !== id);
  return { ...layout, columns: shown ? [...columns, id] : columns };
}

/** The layout with a column moved by one place, or before another one. */
export function moved(layout: TableLayout, id: SortColumn, to: number | SortColumn): TableLayout {
  const columns = chosenColumns(layout);
  const at = columns.indexOf(id);
  const target = typeof to === 'number' ? at + to : columns.indexOf(to);
  if (at < FIXED.length || target < FIXED.length || target >= columns.length) return layout;
  columns.splice(at, 1);
  columns.splice(target, 0, id);
  return { ...layout, columns };
}

/** The layout with a column of this width; `null` gives it its own width back. */
export function resized(layout: TableLayout, id: SortColumn, px: number | null): TableLayout {
  const rest = layout.widths.filter((width) => width.column !== id);
  const wide: ColumnWidth[] = px === null ? [] : [{ column: id, px: Math.min(WIDTH.max, Math.max(WIDTH.min, Math.round(px))) }];
  return { ...layout, widths: [...rest, ...wide] };
}

/** Whether two layouts show the same columns in the same order. */
export function sameColumns(a: TableLayout, b: TableLayout): boolean {
  return chosenColumns(a).join() === chosenColumns(b).join();
}
