import type { ForwardKind, ForwardRow, NodeRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';

/** Asks for a new forward; `node` and `kind` fill the form. */
export function newForward(app: Application, node: NodeRow | null = null, kind: ForwardKind = 'port'): void {
  app.chrome.open({ kind: 'forward', id: null, node, spec: null, forwardKind: kind });
}

export function editForward(app: Application, row: ForwardRow): void {
  app.chrome.open({ kind: 'forward', id: row.id, node: null, spec: row.spec, forwardKind: row.spec.kind });
}

/** The form filled with a forward's description, for another one. */
export function duplicateForward(app: Application, row: ForwardRow): void {
  const spec = { ...row.spec, name: language.m.fwd.copyOfName(row.spec.name), localPort: 0 };
  app.chrome.open({ kind: 'forward', id: null, node: null, spec, forwardKind: spec.kind });
}

/** Copies one of the forward's texts. */
export async function copyText(app: Application, row: ForwardRow, which: 'address' | 'url' | 'command'): Promise<void> {
  const m = language.m;
  const texts = await app.chrome.run(app.host.forwardTexts(row.id));
  const text = texts?.[which];
  if (text) await app.copy(text, m.copied(m.fwd.texts[which]));
}

/** Opens what a forward leads to: its URL in the browser, its desktop in a client. */
export async function openInBrowser(app: Application, row: ForwardRow): Promise<void> {
  if (row.spec.kind === 'rdp') {
    const detail = await app.chrome.run(app.host.fleetNode(row.spec.nodeKey));
    if (detail) app.chrome.open({ kind: 'desktop', node: detail.row });
    return;
  }
  const texts = await app.chrome.run(app.host.forwardTexts(row.id));
  if (texts?.url?.startsWith('http')) await app.chrome.run(app.host.systemOpenUrl(texts.url));
  else if (texts) await app.copy(texts.address, language.m.copied(language.m.fwd.texts.address));
}

/** Everything one can do with a forward, as a menu. */
export function forwardMenu(app: Application, row: ForwardRow): (MenuItem | null)[] {
  const m = language.m;
  const { forwards, chrome } = app;
  return [
    { label: row.on ? m.fwd.switchOff : m.fwd.switchOn, kbd: 'Space', run: () => forwards.switch(row) },
    { label: m.retry, disabled: !row.on, run: () => forwards.retry(row) },
    null,
    { label: m.fwd.copyAddress, kbd: 'Ctrl C', run: () => void copyText(app, row, 'address') },
    { label: m.fwd.copyUrl, run: () => void copyText(app, row, 'url') },
    { label: m.copyCommand, run: () => void copyText(app, row, 'command') },
    { label: row.spec.kind === 'rdp' ? m.fwd.desktopOf : m.fwd.openBrowser, kbd: 'Enter', run: () => void openInBrowser(app, row) },
    null,
    { label: m.fwd.edit, kbd: 'F2', run: () => editForward(app, row) },
    { label: m.fwd.duplicate, kbd: 'Ctrl D', run: () => duplicateForward(app, row) },
    { label: m.fwd.closeAll, disabled: row.connections === 0, run: () => forwards.disconnect(row, null) },
    { label: m.fwd.remove, kbd: 'Del', run: () => chrome.open({ kind: 'remove_forward', row }) },
  ];
}
