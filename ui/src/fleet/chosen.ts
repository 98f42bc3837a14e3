import type { NodeRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';
import { openShell } from './actions';
import { exportNodes } from './views';

/** Shells that are opened without a question. */
const UNASKED = 3;

/** What actions are about: the nodes chosen together, else the selected one. */
export function meant(app: Application): NodeRow[] {
  const { choice } = app.fleet;
  if (choice.rows.size > 0) return [...choice.rows.values()];
  const row = app.fleet.selectedRow();
  return row ? [row] : [];
}

/** Those among the rows that can take a shell. */
export function connectable(rows: NodeRow[]): NodeRow[] {
  return rows.filter((row) => row.readiness !== 'blocked');
}

/** Opens a shell on each, and asks first when they are many. */
export function openShells(app: Application, rows: NodeRow[]): void {
  const [only] = rows;
  if (rows.length === 1 && only) {
    openShell(app, only);
    return;
  }
  const able = connectable(rows);
  const open = async () => {
    for (const row of able) await app.tabs.openShell(row.key);
  };
  if (able.length <= UNASKED && able.length === rows.length) {
    void open();
    return;
  }
  const m = language.m.book;
  app.chrome.open({
    kind: 'confirm',
    title: m.openShellsTitle(able.length),
    text: able.length === rows.length ? m.openShellsText : m.openShellsLeftOut(rows.length - able.length),
    confirm: m.openShells(able.length),
    harmless: true,
    run: async () => {
      void open();
      return true;
    },
  });
}

/** Copies the node ids, one a line. */
export function copyIds(app: Application, rows: NodeRow[]): void {
  const m = language.m;
  if (rows.length === 0) return;
  const text = rows.map((row) => row.nodeId).join('\n');
  void app.copy(text, rows.length === 1 ? m.copied(m.columns.node_id) : m.book.copiedIds(rows.length));
}

/** Makes all of them favourites, or none if all are. */
export function starAll(app: Application, rows: NodeRow[]): void {
  if (rows.length > 0) app.fleet.setFavourites(rows, !rows.every((row) => row.favourite));
}

/** What the bar's menu and the context menu offer for nodes chosen together. */
export function chosenMenu(app: Application): (MenuItem | null)[] {
  const m = language.m;
  const rows = meant(app);
  const keys = rows.map((row) => row.key);
  const able = connectable(rows).length;
  return [
    { label: m.book.openShells(able), kbd: 'Enter', disabled: able === 0, run: () => openShells(app, rows) },
    null,
    { label: m.book.copyIds, kbd: 'Ctrl C', run: () => copyIds(app, rows) },
    null,
    { label: m.book.makeFavourite, run: () => app.fleet.setFavourites(rows, true) },
    { label: m.book.unfavourite, run: () => app.fleet.setFavourites(rows, false) },
    { label: m.book.groupsMore, run: () => app.chrome.open({ kind: 'groups', rows }) },
    null,
    { label: m.book.exportCsv, run: () => void exportNodes(app, 'csv', keys) },
    { label: m.book.exportJson, run: () => void exportNodes(app, 'json', keys) },
    null,
    { label: m.book.chooseNone, kbd: 'Esc', run: () => app.fleet.choice.clear() },
  ];
}
