import type { Arrangement, ForwardKind, ForwardRow, NodeRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';
import { bundlesOf, switchOf, type Bundle } from '../state/forwards.svelte';
import { moveBundle, moveForward } from './arrange';

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
    { label: m.fwd.moveUp, kbd: 'Alt ↑', disabled: moveOf(app, row, -1) === null, run: () => forwards.arrange(moveOf(app, row, -1)) },
    { label: m.fwd.moveDown, kbd: 'Alt ↓', disabled: moveOf(app, row, 1) === null, run: () => forwards.arrange(moveOf(app, row, 1)) },
    { label: m.fwd.closeAll, disabled: row.connections === 0, run: () => forwards.disconnect(row, null) },
    { label: m.fwd.remove, kbd: 'Del', run: () => chrome.open({ kind: 'remove_forward', row }) },
  ];
}

/** What moves a forward one place; null where it cannot go, or while the list is filtered. */
export function moveOf({ forwards }: Application, row: ForwardRow, by: 1 | -1): Arrangement | null {
  return forwards.filter.trim() === '' ? moveForward(bundlesOf(forwards.rows), row.id, by) : null;
}

/** What moves a bundle one place. */
export function moveOfBundle({ forwards }: Application, bundle: Bundle, by: 1 | -1): Arrangement | null {
  if (bundle.name === null || forwards.filter.trim() !== '') return null;
  return moveBundle(bundlesOf(forwards.rows), bundle.name, by);
}

/** Copies the local addresses of a bundle's forwards, one a line. */
export async function copyAddresses(app: Application, bundle: Bundle): Promise<void> {
  const m = language.m;
  await app.copy(bundle.rows.map((row) => row.local).join('\n'), m.copied(m.fwd.texts.address));
}

/** Everything one can do with a bundle, as a menu. */
export function bundleMenu(app: Application, bundle: Bundle): (MenuItem | null)[] {
  const m = language.m;
  const { forwards, chrome } = app;
  const { name } = bundle;
  const on = switchOf(bundle.rows) === 'true';
  const all: (MenuItem | null)[] = [
    { label: on ? m.fwd.switchOff : m.fwd.switchOn, kbd: 'Space', run: () => forwards.switchBundle(bundle) },
    { label: m.fwd.copyAddresses, kbd: 'Ctrl C', run: () => void copyAddresses(app, bundle) },
  ];
  if (name === null) return all;
  return [
    ...all,
    null,
    { label: m.fwd.rename, kbd: 'F2', run: () => chrome.open({ kind: 'rename_bundle', bundle: name }) },
    { label: m.fwd.moveUp, kbd: 'Alt ↑', disabled: moveOfBundle(app, bundle, -1) === null, run: () => forwards.arrange(moveOfBundle(app, bundle, -1)) },
    { label: m.fwd.moveDown, kbd: 'Alt ↓', disabled: moveOfBundle(app, bundle, 1) === null, run: () => forwards.arrange(moveOfBundle(app, bundle, 1)) },
    null,
    { label: m.fwd.ungroup, run: () => forwards.arrange({ kind: 'ungroup', bundle: name }) },
    { label: m.fwd.removeBundle, kbd: 'Del', run: () => chrome.open({ kind: 'remove_bundle', bundle: name }) },
  ];
}
