import type { ExportForm } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';
import { sameName } from '../state/book.svelte';
import { FLEET_TAB } from '../state/tabs.svelte';
import { quoted } from './query';

/** The query that shows a group. */
export function groupQuery(name: string): string {
  return `group:${quoted(name)}`;
}

/** Asks for a name and saves what the table shows under it. */
export function askToSave(app: Application): void {
  const m = language.m;
  const { fleet, book } = app;
  app.chrome.open({
    kind: 'name',
    title: m.book.saveTitle,
    value: fleet.savedView?.name ?? '',
    confirm: m.book.saveView,
    note: (name) => (book.view(name.trim()) ? m.book.replaces : ''),
    run: (name) => fleet.saveView(name),
  });
}

/** Asks for another name of the view that is shown. */
export function askToRename(app: Application): void {
  const m = language.m;
  const { fleet, book } = app;
  const from = fleet.savedView?.name;
  if (from === undefined) return;
  app.chrome.open({
    kind: 'name',
    title: m.book.renameTitle(from),
    value: from,
    confirm: m.book.rename,
    note: (name) => (book.view(name.trim()) && !sameName(name.trim(), from) ? m.book.taken : ''),
    run: (name) => book.change({ change: 'rename_view', from, to: name }),
  });
}

/** Asks before the view that is shown is removed. */
export function askToRemove(app: Application): void {
  const m = language.m;
  const name = app.fleet.savedView?.name;
  if (name === undefined) return;
  app.chrome.open({
    kind: 'confirm',
    title: m.book.removeTitle(name),
    text: m.book.removeText,
    confirm: m.book.remove,
    run: () => app.book.change({ change: 'remove_view', name }),
  });
}

/** Writes what the table shows, or of that the nodes with these keys, to a file, and says where it is. */
export async function exportNodes(app: Application, form: ExportForm, keys: string[] | null = null): Promise<void> {
  const { chrome, fleet, host } = app;
  const view = fleet.view?.view;
  if (view === undefined) return;
  const written = await chrome.run(host.fleetExport(view, form, keys));
  if (!written) return;
  chrome.toast = { text: language.m.book.exported(written.nodes, written.path), copy: written.path };
  chrome.say(language.m.book.exported(written.nodes, written.path));
}

/** What the button of saved views offers. */
export function viewMenu(app: Application): (MenuItem | null)[] {
  const m = language.m;
  const { fleet, book } = app;
  const open = fleet.savedView?.name ?? null;
  const items: (MenuItem | null)[] = [
    { label: m.book.allNodes, checked: open === null, run: () => void fleet.showView(null) },
    ...book.current.views.map((view) => ({
      label: view.name, checked: open !== null && sameName(view.name, open), run: () => void fleet.showView(view.name),
    })),
    null,
    { label: m.book.favourites(book.current.favourites), icon: 'star' as const, run: () => fleet.setText('is:favourite') },
    { label: m.book.recent, icon: 'clock' as const, run: () => fleet.showRecent() },
    ...book.current.groups.map((group) => ({
      label: m.book.groupCount(group.name, group.nodes.length), icon: 'profiles' as const, run: () => fleet.setText(groupQuery(group.name)),
    })),
    null,
    { label: m.book.saveAs, run: () => askToSave(app) },
  ];
  if (open !== null) {
    items.push(
      { label: m.book.updateView, disabled: !fleet.viewChanged, run: () => void fleet.updateView() },
      { label: m.book.resetView, disabled: !fleet.viewChanged, run: () => void fleet.showView(open) },
      { label: m.book.renameMore, run: () => askToRename(app) },
      { label: m.book.removeMore, run: () => askToRemove(app) },
    );
  }
  return items;
}

/** Shows a view wherever the window is. */
export function goToView(app: Application, name: string | null): void {
  app.tabs.activate(FLEET_TAB);
  void app.fleet.showView(name);
}
