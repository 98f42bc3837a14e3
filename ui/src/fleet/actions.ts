import type { NodeRow } from '../host/types';
import { newForward } from '../forwards/actions';
import { language } from '../i18n/index.svelte';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';
import { quoted, withChip } from './query';

/** Opens a shell, or says why the node cannot take one. */
export function openShell(app: Application, row: NodeRow): void {
  if (row.readiness === 'blocked') {
    const m = language.m;
    app.chrome.failure = {
      code: 'tier_required',
      message: m.sessionFailed(row.name),
      hint: row.reason, detail: null, requestId: null,
    };
    app.chrome.alert(`${m.sessionFailed(row.name)}. ${row.reason}`);
    return;
  }
  void app.tabs.openShell(row.key);
}

/** Asks how to open the node's remote desktop. */
export function openDesktop(app: Application, node: NodeRow): void {
  app.chrome.open({ kind: 'desktop', node });
}

/** What the context menu and the row's more button offer. */
export function nodeMenu(app: Application, row: NodeRow): (MenuItem | null)[] {
  const m = language.m;
  const addChip = (chip: string) => () => app.fleet.setText(withChip(app.fleet.query.text, chip));
  return [
    { label: m.openShell, kbd: 'Enter', disabled: row.readiness === 'blocked', run: () => openShell(app, row) },
    { label: m.connect.menu, kbd: 'Ctrl Enter', disabled: row.readiness === 'blocked', run: () => app.chrome.open({ kind: 'connect', node: row, document: null }) },
    { label: m.fwd.forwardFrom, kbd: 'F', disabled: row.readiness === 'blocked', run: () => newForward(app, row) },
    { label: m.fwd.desktopOf, kbd: 'R', disabled: row.readiness === 'blocked', run: () => openDesktop(app, row) },
    { label: m.ssh.menu, disabled: row.readiness === 'blocked', run: () => app.chrome.open({ kind: 'ssh', node: row }) },
    {
      label: m.showDetails, kbd: 'Ctrl I',
      run: () => {
        app.fleet.select(row.key, app.fleet.selectedIndex);
        void app.settings.apply({ inspectorOpen: true });
      },
    },
    null,
    { label: m.copyNodeId, kbd: 'Ctrl C', run: () => void app.copy(row.nodeId, m.copied(m.columns.node_id)) },
    { label: m.copyName, run: () => void app.copy(row.name, m.copied(m.columns.name)) },
    { label: m.copyIp, disabled: row.ip === '', run: () => void app.copy(row.ip, m.copied(m.columns.ip)) },
    ...(row.kind === 'ec2' ? [] : [null, { label: m.activations.deregisterNode, run: () => app.chrome.open({ kind: 'deregister', node: row }) }]),
    null,
    { label: row.favourite ? m.book.unfavourite : m.book.makeFavourite, kbd: '*', run: () => app.fleet.setFavourite(row) },
    { label: m.book.groupsMore, run: () => app.chrome.open({ kind: 'groups', rows: [row] }) },
    null,
    { label: m.filterAccount, run: addChip(`account:${quoted(row.accountName)}`) },
    { label: m.filterRegion, run: addChip(`region:${quoted(row.region)}`) },
  ];
}
