import type { AccountRow, Accounts, Host, MfaAsk, SignInMethod, SignInRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { Chrome } from './chrome.svelte';

/** Sources, sign-ins and codes that are waited for. */
export class AccountsState {
  rows = $state.raw<AccountRow[]>([]);
  signIns = $state.raw<SignInRow[]>([]);
  asks = $state.raw<MfaAsk[]>([]);
  selectedName = $state<string | null>(null);
  /** Sign-ins begun here whose accounts are shown once they succeed. */
  #begun = new Set<string>();
  /** Questions a person has put aside; they stay on the page. */
  #aside = new Set<string>();

  readonly #host: Host;
  readonly #chrome: Chrome;

  constructor(host: Host, chrome: Chrome) {
    this.#host = host;
    this.#chrome = chrome;
  }

  get selected(): AccountRow | null {
    return this.rows.find((row) => row.source === this.selectedName) ?? null;
  }

  get usable(): number {
    return this.rows.filter((row) => row.state.state === 'ready').length;
  }

  row(source: string): AccountRow | null {
    return this.rows.find((row) => row.source === source) ?? null;
  }

  takeAll(accounts: Accounts): void {
    const asked = this.asks;
    this.rows = accounts.rows;
    this.signIns = accounts.signIns;
    this.asks = accounts.asks;
    if (this.selected === null) this.selectedName = null;
    this.#showOpened();
    this.#askForCodes(asked);
  }

  /** Steps through the rows. */
  step(by: number): void {
    const at = this.rows.findIndex((row) => row.source === this.selectedName);
    const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) this.selectedName = next.source;
  }

  check(source: string | null): void {
    if (source !== null) this.#aside.delete(source);
    void this.#chrome.run(this.#host.accountsCheck(source));
  }

  /** Begins to sign in; `show` lists the accounts once somebody is signed in. */
  async signIn(name: string, method: SignInMethod = 'browser', show = false): Promise<void> {
    const label = await this.#chrome.run(this.#host.signIn(name, method));
    if (label !== undefined && show) this.#begun.add(label);
  }

  /** Adds a sign-in and begins it. Rejects where the address is none. */
  async add(startUrl: string, region: string, method: SignInMethod): Promise<void> {
    this.#begun.add(await this.#host.signInAdd(startUrl, region, method));
  }

  cancel(label: string): void {
    this.#begun.delete(label);
    void this.#chrome.run(this.#host.signInCancel(label));
  }

  openPage(label: string): void {
    void this.#chrome.run(this.#host.signInPage(label, false));
  }

  async copyPage(label: string): Promise<void> {
    const done = await this.#chrome.run(this.#host.signInPage(label, true).then(() => true));
    if (done) this.#chrome.say(language.m.copied(language.m.fwd.texts.address));
  }

  signOut(name: string): void {
    void this.#chrome.run(this.#host.signOut(name));
  }

  use(sources: string[], inUse: boolean): void {
    void this.#chrome.run(this.#host.accountsUse(sources, inUse));
  }

  remove(name: string): void {
    void this.#chrome.run(this.#host.accountRemove(name));
  }

  ask(source: string): MfaAsk | null {
    return this.asks.find((ask) => ask.source === source) ?? null;
  }

  /** Opens the question for a code; a source that asks nothing yet is asked who it is, which makes it ask. */
  enterCode(source: string): void {
    this.#aside.delete(source);
    const waits = [source, ...(this.row(source)?.through ?? [])].find((name) => this.ask(name) !== null);
    if (waits === undefined) this.check(source);
    else this.#chrome.open({ kind: 'mfa', source: waits });
  }

  async giveCode(source: string, code: string): Promise<void> {
    await this.#host.mfaAnswer(source, code);
  }

  /** Gives no code: what waits fails, and asks again only when somebody wants it. */
  declineCode(source: string): void {
    this.#aside.add(source);
    void this.#chrome.run(this.#host.mfaDecline(source));
  }

  #showOpened(): void {
    for (const label of [...this.#begun]) {
      const row = this.signIns.find((one) => one.label === label);
      if (!row || row.flow !== null) continue;
      this.#begun.delete(label);
      if (row.state.state === 'ready' && this.#chrome.overlay === null) this.#chrome.open({ kind: 'roles', label });
    }
  }

  #askForCodes(asked: MfaAsk[]): void {
    const overlay = this.#chrome.overlay;
    if (overlay?.kind === 'mfa' && this.ask(overlay.source) === null) this.#chrome.close();
    for (const ask of this.asks) {
      if (asked.some((one) => one.source === ask.source)) continue;
      this.#chrome.alert(language.m.acc.codeAlert(ask.source));
    }
    const next = this.asks.find((ask) => !this.#aside.has(ask.source));
    if (next && this.#chrome.overlay === null) this.#chrome.open({ kind: 'mfa', source: next.source });
  }
}
