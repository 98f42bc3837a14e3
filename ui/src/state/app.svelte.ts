import { HostError } from '../host/types';
import type {
  AppEvent, AppMode, AppSnapshot, CommandError, Host, IdentityRow, LinkQuestion, Notice, RestoreOffer, SourceRow, StartChoice,
} from '../host/types';
import { AccountsState } from './accounts.svelte';
import { BookState } from './book.svelte';
import { Chrome } from './chrome.svelte';
import { DocumentsState } from './documents.svelte';
import { FleetState } from './fleet.svelte';
import { ForwardsState } from './forwards.svelte';
import { EventGate } from './gate';
import { HistoryState } from './history.svelte';
import { AuditState } from './audit.svelte';
import { SessionLogState } from './session-log.svelte';
import { SettingsState } from './settings.svelte';
import { FORWARDS_TAB, TabsState } from './tabs.svelte';

/** The whole interface state; the truth behind it lives in the host. */
export class Application {
  readonly host: Host;
  readonly chrome: Chrome;
  readonly settings: SettingsState;
  readonly tabs: TabsState;
  readonly book: BookState;
  readonly fleet: FleetState;
  readonly forwards: ForwardsState;
  readonly accounts: AccountsState;
  readonly documents: DocumentsState;
  readonly history: HistoryState;
  readonly sessionLog: SessionLogState;
  readonly audit: AuditState;

  phase = $state<'starting' | 'ready' | 'lost'>('starting');
  lost = $state.raw<CommandError | null>(null);
  mode = $state.raw<AppMode>({ kind: 'first_run' });
  sources = $state.raw<SourceRow[]>([]);
  identities = $state.raw<IdentityRow[]>([]);
  notices = $state.raw<Notice[]>([]);
  /** What was open when the app ended, until it is said whether to open it again. */
  restore = $state.raw<RestoreOffer | null>(null);
  /** A link from outside that waits for an answer. */
  link = $state.raw<LinkQuestion | null>(null);
  platform = $state('linux');
  appVersion = $state('');
  softwareGl = $state(false);

  #gate = new EventGate();
  #unlisten: (() => void) | null = null;

  constructor(host: Host) {
    this.host = host;
    this.chrome = new Chrome();
    this.settings = new SettingsState(host, this.chrome);
    this.tabs = new TabsState(host, this.chrome);
    this.book = new BookState(host, this.chrome);
    this.fleet = new FleetState(host, this.chrome, this.book);
    this.forwards = new ForwardsState(host, this.chrome);
    this.accounts = new AccountsState(host, this.chrome);
    this.documents = new DocumentsState(host, this.chrome);
    this.history = new HistoryState(host, this.chrome);
    this.audit = new AuditState(host);
    this.sessionLog = new SessionLogState(host, this.chrome);
  }

  /** Listens first, then takes the snapshot, then lets newer events through. */
  async connect(): Promise<void> {
    this.phase = 'starting';
    this.#gate.close();
    try {
      this.#unlisten ??= await this.host.listen((event) => {
        for (const passed of this.#gate.receive(event)) this.#apply(passed);
      });
      const snapshot = await this.host.appSnapshot();
      this.#take(snapshot);
      for (const event of this.#gate.open(snapshot.version)) this.#apply(event);
      this.phase = 'ready';
      this.fleet.adoptSavedView();
      if (this.mode.kind !== 'first_run') await this.fleet.open();
    } catch (cause) {
      this.lost = HostError.from(cause).problem;
      this.phase = 'lost';
    }
  }

  async start(choice: StartChoice): Promise<void> {
    await this.chrome.run(this.host.appStart(choice));
  }

  async leave(): Promise<void> {
    await this.chrome.run(this.host.appLeave());
  }

  async copy(text: string, announcement: string): Promise<boolean> {
    const done = await this.chrome.run(this.host.clipboardWrite(text).then(() => true));
    if (done === true) this.chrome.say(announcement);
    return done === true;
  }

  dispose(): void {
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #take(snapshot: AppSnapshot): void {
    this.mode = snapshot.mode;
    this.sources = snapshot.sources;
    this.identities = snapshot.identities;
    this.notices = snapshot.notices;
    this.restore = snapshot.restore;
    this.link = snapshot.link;
    this.platform = snapshot.platform;
    this.appVersion = snapshot.appVersion;
    this.softwareGl = snapshot.softwareGl;
    this.settings.take(snapshot.settings);
    this.tabs.takeAll(snapshot.tabs, snapshot.activeTab, snapshot.version);
    this.book.take(snapshot.book);
    this.fleet.takeSummary(snapshot.fleet);
    this.forwards.takeAll(snapshot.forwards, snapshot.version);
    this.accounts.takeAll(snapshot.accounts);
  }

  #apply({ version, change }: AppEvent): void {
    switch (change.kind) {
      case 'mode':
        this.#setMode(change.mode);
        this.sources = change.sources;
        this.identities = change.identities;
        break;
      case 'fleet':
        this.fleet.takeSummary(change.summary);
        break;
      case 'book':
        this.book.take(change.book);
        break;
      case 'view':
        this.fleet.takeView(change.view);
        break;
      case 'tabs':
        this.tabs.takeAll(change.tabs, change.active, version);
        break;
      case 'tab':
        this.tabs.takeOne(change.tab, version);
        break;
      case 'forwards':
        this.forwards.takeAll(change.forwards, version);
        break;
      case 'forward':
        this.forwards.takeOne(change.row, version);
        break;
      case 'check':
        this.fleet.takeCheck(change.check);
        break;
      case 'accounts':
        this.accounts.takeAll(change.accounts);
        break;
      case 'history':
        this.history.takeSummary(change.summary);
        break;
      case 'settings':
        this.settings.take(change.settings);
        break;
      case 'notices':
        this.notices = change.notices;
        break;
      case 'page_requested':
        if (change.page === 'forwards') this.tabs.activate(FORWARDS_TAB);
        else this.chrome.open({ kind: 'palette', text: '@' });
        break;
      case 'link':
        this.link = change.question;
        break;
      case 'restore':
        this.restore = change.offer;
        break;
      case 'quit_requested':
        this.chrome.open({ kind: 'quit', summary: change.summary });
        break;
    }
  }

  #setMode(mode: AppMode): void {
    const changed = JSON.stringify(mode) !== JSON.stringify(this.mode);
    this.mode = mode;
    if (!changed || this.phase !== 'ready') return;
    this.documents.leave();
    this.history.leave();
    this.sessionLog.close();
    this.audit.leave();
    if (mode.kind === 'first_run') this.fleet.leave();
    else void this.fleet.open();
  }
}
