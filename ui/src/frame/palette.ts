import type { GlyphName, IconName } from '../parts/glyphs';
import type { NodeRow, TabRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { Application } from '../state/app.svelte';
import { ACTIVATIONS_TAB, AUDIT_TAB, DOCUMENTS_TAB, FLEET_TAB, FORWARDS_TAB, HISTORY_TAB, RECORDINGS_TAB, SETTINGS_TAB } from '../state/tabs.svelte';
import { openShell } from '../fleet/actions';
import { placeOf, standardTier } from '../fleet/tier';
import { askToRemove, askToRename, askToSave, exportNodes, goToView, groupQuery } from '../fleet/views';
import { newForward } from '../forwards/actions';
import { canRecord, toggleRecording } from '../recordings/actions';
import { accountEntries } from '../accounts/actions';
import { forwardGlyph, stateWords } from '../forwards/words';
import { requestQuit, terminalTarget } from './keyboard';
import { pageIcon, pageTitle } from './pages';

/** A line of the palette. */
export interface Entry {
  id: string;
  title: string;
  note: string;
  icon?: IconName;
  node?: NodeRow;
  tab?: TabRow;
  status?: GlyphName;
  kbd?: string;
  run: () => void;
}

export interface Group {
  title: string;
  entries: Entry[];
}

/** Where `needle` stands in `text`, case ignored; null when it does not. */
export function hit(text: string, needle: string): { start: number; end: number } | null {
  if (needle === '') return null;
  const start = text.toLowerCase().indexOf(needle.toLowerCase());
  return start < 0 ? null : { start, end: start + needle.length };
}

/** All actions the window knows, for this moment. */
export function actions(app: Application): Entry[] {
  const m = language.m;
  const { settings, tabs, chrome, fleet } = app;
  const shell = tabs.activeShell;
  const all: Entry[] = [
    { id: 'refresh', title: m.act.refresh, note: '', icon: 'refresh', kbd: 'F5', run: () => fleet.refresh() },
    {
      id: 'query', title: m.act.query, note: '', icon: 'filter', kbd: '/',
      run: () => {
        tabs.activate(FLEET_TAB);
        window.setTimeout(() => document.getElementById('query-input')?.focus());
      },
    },
    { id: 'forwards', title: m.act.forwards, note: '', icon: 'forwards', run: () => tabs.activate(FORWARDS_TAB) },
    { id: 'new-forward', title: m.act.newForward, note: '', icon: 'plus', kbd: 'Ctrl N', run: () => newForward(app) },
    {
      id: 'pause-forwards', title: app.forwards.paused ? m.act.resumeForwards : m.act.pauseForwards, note: '', icon: 'pause',
      run: () => app.forwards.pause(!app.forwards.paused),
    },
    { id: 'activations', title: m.activations.goTo, note: '', icon: pageIcon(ACTIVATIONS_TAB), run: () => tabs.activate(ACTIVATIONS_TAB) },
    { id: 'new-activation', title: m.activations.create, note: '', icon: 'plus', run: () => chrome.open({ kind: 'new_activation' }) },
    ...accountEntries(app),
    { id: 'history', title: m.history.title, note: '', icon: 'history', run: () => tabs.activate(HISTORY_TAB) },
    { id: 'audit', title: m.audit.goTo, note: '', icon: 'shield', run: () => tabs.activate(AUDIT_TAB) },
    { id: 'recordings', title: m.recordings.title, note: '', icon: pageIcon(RECORDINGS_TAB), run: () => tabs.activate(RECORDINGS_TAB) },
    { id: 'documents', title: m.documents.title, note: '', icon: 'documents', run: () => tabs.activate(DOCUMENTS_TAB) },
    { id: 'settings', title: m.act.settings, note: '', icon: 'settings', run: () => tabs.activate(SETTINGS_TAB) },
    { id: 'shortcuts', title: m.act.shortcuts, note: '', icon: 'log', kbd: '?', run: () => chrome.open({ kind: 'shortcuts' }) },
    { id: 'theme-dark', title: m.act.themeDark, note: '', icon: 'settings', run: () => void settings.apply({ theme: 'dark' }) },
    { id: 'theme-light', title: m.act.themeLight, note: '', icon: 'settings', run: () => void settings.apply({ theme: 'light' }) },
    { id: 'theme-system', title: m.act.themeSystem, note: '', icon: 'settings', run: () => void settings.apply({ theme: 'system' }) },
    { id: 'rail', title: m.act.rail, note: '', icon: 'cols', kbd: 'Ctrl B', run: () => void settings.apply({ railMini: !settings.current.railMini }) },
    {
      id: 'inspector', title: m.act.inspector, note: '', icon: 'cols', kbd: 'Ctrl I',
      run: () => void settings.apply({ inspectorOpen: !settings.current.inspectorOpen }),
    },
    { id: 'compact', title: m.act.compact, note: '', icon: 'cols', run: () => void settings.apply({ density: 'compact' }) },
    { id: 'normal', title: m.act.normal, note: '', icon: 'cols', run: () => void settings.apply({ density: 'normal' }) },
    { id: 'comfortable', title: m.act.comfortable, note: '', icon: 'cols', run: () => void settings.apply({ density: 'comfortable' }) },
    { id: 'zoom-in', title: m.act.zoomIn, note: '', icon: 'plus', kbd: 'Ctrl +', run: () => settings.zoom(1) },
    { id: 'zoom-out', title: m.act.zoomOut, note: '', icon: 'search', kbd: 'Ctrl -', run: () => settings.zoom(-1) },
    { id: 'zoom-reset', title: m.act.zoomReset, note: '', icon: 'search', kbd: 'Ctrl 0', run: () => settings.zoom(0) },
    { id: 'hide', title: m.act.hide, note: '', icon: 'down', run: () => void chrome.run(app.host.appHide()) },
    { id: 'quit', title: m.act.quit, note: '', icon: 'power', kbd: 'Ctrl Q', run: () => requestQuit(app) },
  ];
  const { detail } = fleet;
  if (detail && !detail.check?.running) {
    const { row } = detail;
    all.push({ id: 'check-channel', title: m.ladder.check, note: row.name, icon: 'shell', run: () => void chrome.run(app.host.nodeCheck(row.key)) });
  }
  for (const place of standardTier(fleet.summary.accountRegions)) {
    all.push({
      id: `tier ${place.source}/${place.region}`, title: m.tiers.titleAdvanced(placeOf(place)), note: '', icon: 'settings',
      run: () => chrome.open({ kind: 'tier', source: place.source, region: place.region, to: 'advanced' }),
    });
  }
  const inFleet = (run: () => void) => () => {
    tabs.activate(FLEET_TAB);
    run();
  };
  all.push(
    { id: 'save-view', title: m.book.saveAs, note: '', icon: 'star', run: inFleet(() => askToSave(app)) },
    { id: 'all-nodes', title: m.book.allNodes, note: '', icon: 'fleet', run: () => goToView(app, null) },
    { id: 'favourites', title: m.book.favourites(app.book.current.favourites), note: 'is:favourite', icon: 'star', run: inFleet(() => fleet.setText('is:favourite')) },
    { id: 'recent', title: m.book.recent, note: 'is:recent', icon: 'clock', run: inFleet(() => fleet.showRecent()) },
    { id: 'export-csv', title: m.book.exportCsv, note: m.nodeCount(fleet.view?.matched ?? 0), icon: 'down', run: () => void exportNodes(app, 'csv') },
    { id: 'export-json', title: m.book.exportJson, note: m.nodeCount(fleet.view?.matched ?? 0), icon: 'down', run: () => void exportNodes(app, 'json') },
  );
  const view = fleet.savedView;
  if (view) {
    if (fleet.viewChanged) all.push({ id: 'update-view', title: m.book.updateView, note: view.name, icon: 'star', run: () => void fleet.updateView() });
    all.push(
      { id: 'rename-view', title: m.book.renameMore, note: view.name, icon: 'star', run: inFleet(() => askToRename(app)) },
      { id: 'remove-view', title: m.book.removeMore, note: view.name, icon: 'star', run: inFleet(() => askToRemove(app)) },
    );
  }
  const row = fleet.detail?.row;
  if (row && tabs.active === FLEET_TAB) {
    all.push(
      { id: 'star', title: row.favourite ? m.book.unfavourite : m.book.makeFavourite, note: row.name, icon: 'star', kbd: '*', run: () => fleet.setFavourite(row) },
      { id: 'groups', title: m.book.groupsMore, note: row.name, icon: 'profiles', run: () => chrome.open({ kind: 'groups', rows: [row] }) },
    );
  }
  for (const one of fleet.summary.accountRegions.filter((listing) => listing.problem !== null)) {
    all.push({
      id: `retry ${one.source}/${one.region}`, title: m.book.listAgain(one.accountName, one.region), note: m.listing[one.state], icon: 'refresh',
      run: () => fleet.retry(one.source, one.region),
    });
  }
  if (canRecord(shell)) {
    const recording = shell.session?.recording ?? null;
    all.unshift({
      id: 'record', title: recording ? m.recordings.stop : m.recordings.start, note: shell.title, icon: 'log', kbd: 'Ctrl Shift R', run: () => void toggleRecording(app, shell),
    });
  }
  if (shell) {
    all.unshift(
      { id: 'find', title: m.act.find, note: shell.title, icon: 'search', kbd: 'Ctrl Shift F', run: () => terminalTarget()?.run('find') },
      { id: 'close', title: m.act.closeTab, note: shell.title, icon: 'x', kbd: 'Ctrl Shift W', run: () => tabs.requestClose(shell.id) },
    );
  }
  return all;
}

/** Open tabs as entries. */
export function tabEntries(app: Application): Entry[] {
  const m = language.m;
  return app.tabs.order.map((id) => {
    const tab = app.tabs.rows.find((row) => row.id === id);
    const title = tab ? (tab.kind === 'fleet' ? m.fleet : tab.title) : pageTitle(id);
    const session = tab?.session;
    const note = session ? `${session.accountName} · ${session.region}` : '';
    return {
      id: `tab ${id}`, title, note, icon: tab ? 'fleet' : pageIcon(id), ...(tab ? { tab } : {}),
      run: () => app.tabs.activate(id),
    } satisfies Entry;
  });
}

/** Saved views and groups as entries; choosing one shows it. */
export function viewEntries(app: Application): Entry[] {
  const m = language.m;
  return [
    ...app.book.current.views.map((view): Entry => ({
      id: `view ${view.name}`, title: view.name, note: view.query.text || m.book.allNodes, icon: 'star', run: () => goToView(app, view.name),
    })),
    ...app.book.current.groups.map((group): Entry => ({
      id: `group ${group.name}`, title: group.name, note: m.nodeCount(group.nodes.length), icon: 'profiles',
      run: () => {
        app.tabs.activate(FLEET_TAB);
        app.fleet.setText(groupQuery(group.name));
      },
    })),
  ];
}

/** Forwards as entries; choosing one switches it on or off. */
export function forwardEntries(app: Application): Entry[] {
  return app.forwards.rows.map((row) => ({
    id: `forward ${row.id}`,
    title: row.spec.name,
    note: `${row.local} · ${stateWords(row, app.chrome.now).words}`,
    status: forwardGlyph(row.state),
    run: () => app.forwards.switch(row),
  }));
}

/** Nodes as entries; choosing one opens a shell on it. */
export function nodeEntries(app: Application, rows: NodeRow[]): Entry[] {
  return rows.map((node) => ({
    id: `node ${node.key}`,
    title: node.name,
    note: `${node.nodeId} · ${node.accountName} · ${node.region}`,
    node,
    run: () => {
      if (node.readiness === 'blocked') {
        app.tabs.activate(FLEET_TAB);
        void app.fleet.reveal(node.key);
      }
      openShell(app, node);
    },
  }));
}
