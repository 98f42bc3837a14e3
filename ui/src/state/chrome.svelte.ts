import { HostError, type ActivationRow, type Activations, type CommandError, type DocumentReading, type ForwardKind, type ForwardRow, type ForwardSpec, type HistoryRow, type NodeRow, type QuitSummary, type TierTarget } from '../host/types';

/** Asks for a name of 1 to 80 characters. */
export interface NameQuestion {
  kind: 'name';
  title: string;
  value: string;
  confirm: string;
  /** What is to be said about a name before it is taken; may be empty. */
  note: (name: string) => string;
  /** Takes the name; false keeps the question open. */
  run: (name: string) => Promise<boolean>;
}

/** Asks before something is lost. */
export interface ConfirmQuestion {
  kind: 'confirm';
  title: string;
  text: string;
  confirm: string;
  /** Nothing is lost by it: the button is an ordinary one and has the focus. */
  harmless?: boolean;
  /** Does it; false keeps the question open. */
  run: () => Promise<boolean>;
}

/** Something finished in the background; `copy` is offered for copying. */
export interface Toast {
  text: string;
  copy?: string;
}

/** A window-level question or overlay; at most one is open. */
export type Overlay =
  | { kind: 'palette'; text: string }
  | { kind: 'shortcuts' }
  | { kind: 'quit'; summary: QuitSummary }
  | { kind: 'close_tab'; tab: string; title: string }
  | NameQuestion
  | ConfirmQuestion
  | { kind: 'groups'; rows: NodeRow[] }
  | { kind: 'forward'; id: string | null; node: NodeRow | null; spec: ForwardSpec | null; forwardKind: ForwardKind }
  | { kind: 'remove_forward'; row: ForwardRow }
  | { kind: 'expose'; row: ForwardRow; address: string }
  | { kind: 'rename_bundle'; bundle: string }
  | { kind: 'remove_bundle'; bundle: string }
  | { kind: 'tier'; source: string; region: string; to: TierTarget }
  | { kind: 'new_activation' }
  | { kind: 'delete_activation'; place: Activations; row: ActivationRow; onDone: () => void }
  | { kind: 'deregister'; node: NodeRow }
  | { kind: 'desktop'; node: NodeRow }
  | { kind: 'ssh'; node: NodeRow }
  | { kind: 'add_identity' }
  | { kind: 'roles'; label: string }
  | { kind: 'mfa'; source: string }
  | { kind: 'document_new'; from: DocumentReading | null }
  | { kind: 'document_delete'; version: string | null }
  | { kind: 'document_default'; version: string }
  | { kind: 'save_preferences' }
  | { kind: 'connect'; node: NodeRow; document: string | null }
  | { kind: 'end_sessions'; keys: string[]; rows: HistoryRow[] };

/** What belongs to the window itself: overlays, announcements, the clock, a failed action. */
export class Chrome {
  overlay = $state.raw<Overlay | null>(null);
  /** A command that said no, shown until dismissed or until the next action. */
  failure = $state.raw<CommandError | null>(null);
  toast = $state.raw<Toast | null>(null);
  /** Spoken politely / at once by the live regions. */
  polite = $state('');
  assertive = $state('');
  /** Milliseconds of the Unix epoch, to the second; ages on screen are counted from it. */
  now = $state(Date.now());
  /** Inner width in CSS pixels. */
  width = $state(window.innerWidth);

  /** Reads the page in front anew, where it shows more than the fleet. */
  reload: (() => void) | null = null;

  #opener: HTMLElement | null = null;

  open(overlay: Overlay): void {
    if (this.overlay === null) this.#opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.overlay = overlay;
  }

  /** Closes the overlay and gives focus back to what had it before. */
  close(): void {
    if (this.overlay === null) return;
    this.overlay = null;
    const opener = this.#opener;
    this.#opener = null;
    if (opener?.isConnected) queueMicrotask(() => opener.focus());
  }

  /** Has the refresh chord do `read` while a page is in front; returns how to stop. */
  reloads(read: () => void): () => void {
    this.reload = read;
    return () => {
      if (this.reload === read) this.reload = null;
    };
  }

  say(text: string): void {
    // The same words twice in a row are only spoken twice if the text changes.
    this.polite = this.polite === text ? `${text}\u00a0` : text;
  }

  alert(text: string): void {
    this.assertive = this.assertive === text ? `${text}\u00a0` : text;
  }

  /** Runs an action of the user; a refusal is shown, never thrown. */
  async run<T>(action: Promise<T>): Promise<T | undefined> {
    try {
      const value = await action;
      return value;
    } catch (cause) {
      const problem = HostError.from(cause).problem;
      if (problem.code !== 'cancelled') {
        this.failure = problem;
        this.alert(problem.message);
      }
      return undefined;
    }
  }

  /** Keeps `now` and `width` current while the window is visible; returns how to stop. */
  start(): () => void {
    const tick = () => {
      if (document.visibilityState === 'visible') this.now = Date.now();
    };
    const resized = () => {
      this.width = window.innerWidth;
    };
    const timer = window.setInterval(tick, 1000);
    window.addEventListener('resize', resized);
    document.addEventListener('visibilitychange', tick);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener('resize', resized);
      document.removeEventListener('visibilitychange', tick);
    };
  }
}
