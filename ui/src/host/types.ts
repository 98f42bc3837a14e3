/**
 * What the interface may ask of the program it runs in, and what it is told.
 *
 * These types are the interface's own view of `crates/ipc`; `tauri.ts` proves at compile time that the
 * generated bindings agree with them. Times are milliseconds of the Unix epoch.
 */

export type ErrorCode =
  | 'invalid_input' | 'not_found' | 'not_signed_in' | 'credentials_expired' | 'credentials_invalid'
  | 'access_denied' | 'target_not_connected' | 'tier_required' | 'invalid_document' | 'throttled'
  | 'network_unreachable' | 'tls_untrusted' | 'session_ended' | 'storage' | 'cancelled' | 'unsupported'
  | 'service' | 'internal';

export interface CommandError {
  code: ErrorCode;
  message: string;
  hint: string | null;
  detail: string | null;
  requestId: string | null;
}

export type NodeKind = 'ec2' | 'on_prem' | 'azure' | 'gcp' | 'edge';
export type PlatformFamily = 'linux' | 'windows' | 'macos' | 'unknown';
export type PingStatus = 'online' | 'connection_lost' | 'inactive' | 'unknown';
export type InstanceTier = 'standard' | 'advanced' | 'pending' | 'unknown';
export type Readiness = 'ready' | 'limited' | 'blocked' | 'lost' | 'checking';

export interface NodeRow {
  key: string;
  nodeId: string;
  name: string;
  kind: NodeKind;
  platform: PlatformFamily;
  platformText: string;
  accountId: string;
  accountName: string;
  region: string;
  ip: string;
  agentVersion: string;
  agentOld: boolean;
  tier: InstanceTier | null;
  ping: PingStatus;
  lastPingMs: number | null;
  readiness: Readiness;
  reason: string;
  stale: boolean;
  favourite: boolean;
  computerName: string;
  publicIp: string;
  instanceState: string;
  instanceType: string;
  availabilityZone: string;
  vpcId: string;
  iamRole: string;
  registeredMs: number | null;
  usedMs: number | null;
  tagsText: string;
}

export type StepState = 'passed' | 'limited' | 'stopped' | 'lost' | 'running' | 'not_checked' | 'not_reached';

export interface LadderStep { label: string; state: StepState; fact: string; cause: string }
export interface Fact { label: string; value: string; mono: boolean }
export interface Tag { key: string; value: string }
export interface LiveSession { tab: string; label: string; startedMs: number }

export interface NodeDetail {
  row: NodeRow;
  ladder: LadderStep[];
  facts: Fact[];
  tags: Tag[];
  groups: string[];
  sessions: LiveSession[];
}

export type ListingState = 'waiting' | 'loading' | 'loaded' | 'denied' | 'failed';

export interface AccountRegionRow {
  source: string;
  accountId: string;
  accountName: string;
  region: string;
  state: ListingState;
  nodes: number;
  hybrid: number;
  tier: InstanceTier;
  problem: CommandError | null;
  updatedMs: number | null;
}

export interface FleetSummary {
  version: number;
  total: number;
  online: number;
  hybrid: number;
  notConnectable: number;
  stale: number;
  accounts: number;
  regions: number;
  accountRegions: AccountRegionRow[];
  refreshing: boolean;
  updatedMs: number | null;
}

export type SortColumn =
  | 'readiness' | 'name' | 'node_id' | 'kind' | 'platform' | 'account' | 'ip' | 'agent' | 'tier' | 'ping'
  | 'computer_name' | 'public_ip' | 'instance_state' | 'instance_type' | 'availability_zone' | 'vpc_id' | 'iam_role'
  | 'registered' | 'used' | 'tags';

export interface FleetQuery { text: string; sort: SortColumn; descending: boolean }
export interface QueryIssue { start: number; end: number; message: string }

export interface FleetViewState {
  view: string;
  version: number;
  matched: number;
  total: number;
  issues: QueryIssue[];
}

export interface FleetWindow { view: string; version: number; offset: number; rows: NodeRow[] }
export interface Completion { text: string; label: string; count: number | null }
export interface Completions { start: number; end: number; items: Completion[] }

export interface ColumnWidth { column: string; px: number }
export interface TableLayout { columns: string[]; widths: ColumnWidth[] }
export interface SavedView { name: string; query: FleetQuery; layout: TableLayout }
export interface NodeGroup { name: string; nodes: string[] }

export interface FleetBook {
  views: SavedView[];
  groups: NodeGroup[];
  favourites: number;
  layout: TableLayout;
  open: string | null;
}

export type BookChange =
  | { change: 'save_view'; view: SavedView }
  | { change: 'rename_view'; from: string; to: string }
  | { change: 'remove_view'; name: string }
  | { change: 'layout'; view: string | null; layout: TableLayout }
  | { change: 'open'; view: string | null }
  | { change: 'favourite'; nodes: string[]; on: boolean }
  | { change: 'add_group'; name: string }
  | { change: 'rename_group'; from: string; to: string }
  | { change: 'remove_group'; name: string }
  | { change: 'member'; group: string; nodes: string[]; on: boolean };

export type ExportForm = 'csv' | 'json';
export interface Exported { path: string; nodes: number }

export type SessionState =
  | { state: 'connecting'; step: string }
  | { state: 'connected' }
  | { state: 'reconnecting'; cause: string; sinceMs: number; attempt: number; nextTryMs: number | null }
  | { state: 'ended'; atMs: number; cause: string; normal: boolean }
  | { state: 'failed'; problem: CommandError };

export interface SessionRow {
  sessionId: string | null;
  nodeKey: string;
  nodeId: string;
  nodeName: string;
  accountName: string;
  region: string;
  document: string;
  startedMs: number;
  state: SessionState;
  resumedAfterMs: number | null;
  demo: boolean;
}

export interface TabRow {
  id: string;
  kind: 'fleet' | 'shell';
  title: string;
  programTitle: string;
  session: SessionRow | null;
  unseen: boolean;
  bell: boolean;
}

export type ForwardKind = 'port' | 'remote_host' | 'rdp' | 'socks';
export type ForwardStart = 'on_demand' | 'at_once';

export interface ForwardSpec {
  name: string;
  kind: ForwardKind;
  bundle: string | null;
  nodeKey: string;
  host: string | null;
  port: number | null;
  localPort: number;
  socket: string | null;
  lanes: number;
  start: ForwardStart;
  favourite: boolean;
}

export type ForwardState =
  | { state: 'off' }
  | { state: 'paused' }
  | { state: 'idle' }
  | { state: 'starting'; step: string }
  | { state: 'active' }
  | { state: 'reconnecting'; cause: string; awaitsRetry: boolean }
  | { state: 'failed'; problem: CommandError; nextTryMs: number | null }
  | { state: 'port_in_use'; port: number; holder: string; nextFree: number | null };

export interface ForwardRow {
  id: string;
  spec: ForwardSpec;
  on: boolean;
  state: ForwardState;
  nodeName: string;
  nodeId: string;
  accountName: string;
  region: string;
  local: string;
  remote: string;
  connections: number;
  lanes: number;
  rateDown: number;
  rateUp: number;
  recentDown: number[];
}

export interface Forwards { rows: ForwardRow[]; paused: boolean }

export interface LaneRow {
  number: number;
  sessionId: string | null;
  state: string;
  open: boolean;
  connections: number;
  rttMs: number | null;
  resumes: number;
}

export interface ConnectionRow {
  number: number;
  client: string;
  fromPort: number | null;
  bytes: number;
  openedMs: number;
  lane: number | null;
}

export type ForwardEventLevel = 'good' | 'neutral' | 'warn' | 'bad';
export interface ForwardEventRow { atMs: number; level: ForwardEventLevel; text: string }

export interface ForwardDetail {
  row: ForwardRow;
  listening: string[];
  sinceMs: number | null;
  lanes: LaneRow[];
  connections: ConnectionRow[];
  events: ForwardEventRow[];
  recentUp: number[];
  bytesDown: number;
  bytesUp: number;
}

export interface ForwardTexts { address: string; url: string | null; command: string }

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'compact' | 'normal' | 'comfortable';

export interface Settings {
  theme: Theme;
  density: Density;
  terminalFontPx: number;
  scrollbackLines: number;
  railMini: boolean;
  inspectorOpen: boolean;
  inspectorPx: number;
  screenReader: boolean;
}

export type AppMode = { kind: 'first_run' } | { kind: 'demo' } | { kind: 'aws'; sources: string[] };
export type StartChoice = { kind: 'demo' } | { kind: 'aws'; sources: string[]; regions: string[] };

export interface SourceRow { name: string; region: string | null; method: string; problem: CommandError | null }
export interface IdentityRow { source: string; accountId: string; arn: string; name: string; expiresMs: number | null }
export interface Notice { id: string; level: 'info' | 'warn' | 'bad'; message: string; detail: string | null }
export interface QuitSummary { shells: string[]; forwards: QuitForward[] }
export interface QuitForward { name: string; connections: number }

export interface AppSnapshot {
  version: number;
  mode: AppMode;
  platform: string;
  appVersion: string;
  softwareGl: boolean;
  sources: SourceRow[];
  identities: IdentityRow[];
  fleet: FleetSummary;
  book: FleetBook;
  tabs: TabRow[];
  activeTab: string;
  forwards: Forwards;
  settings: Settings;
  notices: Notice[];
}

export type Change =
  | { kind: 'mode'; mode: AppMode; sources: SourceRow[]; identities: IdentityRow[] }
  | { kind: 'fleet'; summary: FleetSummary }
  | { kind: 'book'; book: FleetBook }
  | { kind: 'view'; view: FleetViewState }
  | { kind: 'tabs'; tabs: TabRow[]; active: string }
  | { kind: 'tab'; tab: TabRow }
  | { kind: 'forwards'; forwards: Forwards }
  | { kind: 'forward'; row: ForwardRow }
  | { kind: 'settings'; settings: Settings }
  | { kind: 'notices'; notices: Notice[] }
  | { kind: 'quit_requested'; summary: QuitSummary };

export interface AppEvent { version: number; change: Change }

export interface TerminalSize { cols: number; rows: number }
export interface Modifiers { shift: boolean; ctrl: boolean; alt: boolean; meta: boolean }
export interface KeyPress { key: string; code: string; modifiers: Modifiers }
export type MouseAction = 'press' | 'release' | 'move' | 'wheel_up' | 'wheel_down';
export interface MouseInput { action: MouseAction; button: number | null; col: number; row: number; modifiers: Modifiers }

export type ScrollTo =
  | { to: 'lines'; lines: number }
  | { to: 'pages'; pages: number }
  | { to: 'top' }
  | { to: 'bottom' };

export type SelectionKind = 'simple' | 'word' | 'line' | 'block';
export type SelectionInput =
  | { step: 'start'; kind: SelectionKind; col: number; row: number; rightHalf: boolean }
  | { step: 'update'; col: number; row: number; rightHalf: boolean }
  | { step: 'all' }
  | { step: 'clear' };

export type PasteOutcome =
  | { outcome: 'sent' }
  | { outcome: 'needs_confirmation'; lines: number; preview: string; reason: string };

export interface SearchRequest { text: string; caseSensitive: boolean; regex: boolean; forward: boolean }
export interface SearchState { current: number; total: number; more: boolean; error: string | null }

/** A command said no, or the bridge itself failed (`internal`). */
export class HostError extends Error {
  readonly problem: CommandError;

  constructor(problem: CommandError) {
    super(problem.message);
    this.name = 'HostError';
    this.problem = problem;
  }

  /** Folds anything thrown into a `HostError`. */
  static from(cause: unknown): HostError {
    if (cause instanceof HostError) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new HostError({ code: 'internal', message, hint: null, detail: null, requestId: null });
  }
}

/** Every command rejects with `HostError` and nothing else. */
export interface Host {
  /** Resolves once events are delivered, so that a snapshot taken afterwards misses none. */
  listen(onEvent: (event: AppEvent) => void): Promise<() => void>;

  appSnapshot(): Promise<AppSnapshot>;
  appStart(choice: StartChoice): Promise<void>;
  appLeave(): Promise<void>;
  appQuit(): Promise<void>;
  appHide(): Promise<void>;

  fleetRefresh(): Promise<void>;
  /** One account-Region; one that is being listed goes on. */
  fleetRefreshOne(source: string, region: string): Promise<void>;
  fleetCancel(): Promise<void>;
  fleetBook(change: BookChange): Promise<FleetBook>;
  /** To a new file in the folder for downloads. */
  fleetExport(view: string, form: ExportForm): Promise<Exported>;
  fleetViewOpen(query: FleetQuery): Promise<FleetViewState>;
  fleetViewQuery(view: string, query: FleetQuery): Promise<FleetViewState>;
  fleetViewWindow(view: string, offset: number, len: number): Promise<FleetWindow>;
  fleetViewClose(view: string): Promise<void>;
  fleetViewFind(view: string, key: string): Promise<number | null>;
  fleetViewTypeAhead(view: string, prefix: string, from: number): Promise<number | null>;
  fleetComplete(text: string, cursor: number): Promise<Completions>;
  fleetNode(key: string): Promise<NodeDetail>;

  shellOpen(nodeKey: string, document: string | null, reason: string | null): Promise<TabRow>;
  tabActivate(tab: string): Promise<void>;
  tabMove(tab: string, index: number): Promise<void>;
  tabClose(tab: string): Promise<void>;
  tabRestart(tab: string): Promise<void>;
  sessionRetry(tab: string): Promise<void>;

  /** Frames arrive until `terminalDetach`; the next one comes only after `terminalAck`. */
  terminalAttach(tab: string, onFrame: (frame: ArrayBuffer) => void): Promise<void>;
  terminalDetach(tab: string): Promise<void>;
  terminalAck(tab: string, seq: number): Promise<void>;
  terminalResize(tab: string, size: TerminalSize): Promise<void>;
  terminalKey(tab: string, key: KeyPress): Promise<boolean>;
  terminalText(tab: string, text: string): Promise<void>;
  terminalPaste(tab: string, text: string, confirmed: boolean): Promise<PasteOutcome>;
  terminalPasteClipboard(tab: string, confirmed: boolean): Promise<PasteOutcome>;
  terminalMouse(tab: string, mouse: MouseInput): Promise<void>;
  terminalFocus(tab: string, focused: boolean): Promise<void>;
  terminalScroll(tab: string, to: ScrollTo): Promise<void>;
  terminalSelect(tab: string, input: SelectionInput): Promise<void>;
  terminalCopy(tab: string): Promise<string>;
  terminalSearch(tab: string, request: SearchRequest): Promise<SearchState>;
  terminalMirror(tab: string): Promise<string[]>;

  forwardCreate(spec: ForwardSpec): Promise<ForwardRow>;
  forwardEdit(id: string, spec: ForwardSpec): Promise<ForwardRow>;
  forwardRemove(id: string): Promise<void>;
  forwardSwitch(id: string, on: boolean): Promise<void>;
  /** `null` is what is in no bundle. */
  forwardBundle(bundle: string | null, on: boolean): Promise<void>;
  forwardsPause(paused: boolean): Promise<void>;
  forwardRetry(id: string): Promise<void>;
  /** `null` closes all of them. */
  forwardDisconnect(id: string, connection: number | null): Promise<void>;
  forwardDetail(id: string): Promise<ForwardDetail>;
  forwardTexts(id: string): Promise<ForwardTexts>;

  settingsApply(settings: Settings): Promise<Settings>;
  clipboardWrite(text: string): Promise<void>;
  systemOpenUrl(url: string): Promise<void>;
}
