import type { AccountRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { Entry } from '../frame/palette';
import type { MenuItem } from '../parts/Menu.svelte';
import type { Application } from '../state/app.svelte';
import { ACCOUNTS_TAB } from '../state/tabs.svelte';
import { howOf } from './words';

/** The one thing to do next about a source. */
export function nextStep(app: Application, row: AccountRow): { label: string; urgent: boolean; run: () => void } {
  const m = language.m.acc;
  const { accounts } = app;
  switch (row.state.state) {
    case 'needs_code': return { label: m.enterCode, urgent: true, run: () => accounts.enterCode(row.source) };
    case 'needs_sign_in':
    case 'over':
      if (row.signIn !== null) return { label: m.signIn, urgent: true, run: () => void accounts.signIn(row.source) };
      return row.mfaSerial === null
        ? { label: m.checkAgain, urgent: true, run: () => accounts.check(row.source) }
        : { label: m.enterCode, urgent: true, run: () => accounts.enterCode(row.source) };
    case 'failed': return { label: m.checkAgain, urgent: true, run: () => accounts.check(row.source) };
    default: break;
  }
  return row.kind === 'identity_center'
    ? { label: m.signInAgain, urgent: false, run: () => void accounts.signIn(row.source) }
    : { label: row.checkedMs === null ? m.check : m.checkAgain, urgent: false, run: () => accounts.check(row.source) };
}

/** Everything that can be done about a source. */
export function accountMenu(app: Application, row: AccountRow): (MenuItem | null)[] {
  const m = language.m.acc;
  const { accounts, chrome } = app;
  const label = row.signIn;
  return [
    { label: m.checkAgain, run: () => accounts.check(row.source) },
    ...(row.mfaSerial === null ? [] : [{ label: m.enterCode, run: () => accounts.enterCode(row.source) }]),
    ...(label === null ? [] : [
      null,
      { label: m.signInAgain, run: () => void accounts.signIn(label) },
      { label: m.signInDevice, run: () => void accounts.signIn(label, 'device') },
      { label: m.rolesOf, run: () => chrome.open({ kind: 'roles', label }) },
      { label: m.signOut, run: () => accounts.signOut(label) },
    ]),
    null,
    row.inUse
      ? { label: m.leave, run: () => accounts.use([row.source], false) }
      : { label: m.use, run: () => accounts.use([row.source], true) },
    ...(row.own ? [{ label: m.remove, disabled: row.inUse, run: () => accounts.remove(row.source) }] : []),
  ];
}

/** What the palette knows of accounts. */
export function accountEntries(app: Application): Entry[] {
  const m = language.m.acc;
  const signIns = app.accounts.signIns.map((row): Entry => ({
    id: `sign-in ${row.label}`, title: `${m.signIn}: ${row.label}`, note: row.startUrl, icon: 'accounts', run: () => {
      app.tabs.activate(ACCOUNTS_TAB);
      void app.accounts.signIn(row.label);
    },
  }));
  const codes = app.accounts.rows.filter((row) => row.state.state === 'needs_code').map((row): Entry => ({
    id: `code ${row.source}`, title: m.codeTitle(row.source), note: howOf(row), icon: 'accounts', run: () => app.accounts.enterCode(row.source),
  }));
  return [
    { id: 'accounts', title: m.title, note: '', icon: 'accounts', run: () => app.tabs.activate(ACCOUNTS_TAB) },
    { id: 'add-identity', title: m.add, note: '', icon: 'plus', run: () => app.chrome.open({ kind: 'add_identity' }) },
    ...codes,
    ...signIns,
  ];
}
