/**
 * What the interface may ask of the program it runs in, and what it is told.
 *
 * These types are the interface's own view of `crates/ipc`; `tauri.ts` proves at compile time that the
 * generated bindings agree with them. Times are milliseconds of the Unix epoch.
 */

import type { AuditHost } from './audit';
import type { ConnectHost } from './connect';
import type { DocumentEffects, DocumentHost } from './documents';
import type { HistoryHost, HistorySummary } from './history';
import type { RecordingHost, RecordingMark } from './recordings';
import type { ReplayHost, ReplayRow } from './replay';
import type { SessionLogHost } from './session-log';
import type { SecretsHost } from './secrets';

export * from './audit';
export * from './connect';
export * from './documents';
export * from './history';
export * from './recordings';
export * from './replay';
export * from './session-log';
export * from './secrets';

export type ErrorCode =
  | 'invalid_input' | 'not_found' | 'not_signed_in' | 'credentials_expired' | 'credentials_invalid'
  | 'access_denied' | 'target_not_connected' | 'tier_required' | 'invalid_document' | 'throttled'
  | 'network_unreachable' | 'tls_untrusted' | 'session_ended' | 'storage' | 'cancelled' | 'unsupported'
  | 'service' | 'internal' | 'conflict';

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

export type StepName = 'registered' | 'agent_online' | 'tier' | 'iam' | 'channel';
export type AgentGate = 'sessions' | 'ssh' | 'multiplexing' | 'remote_hosts';
export interface ClosedGate { gate: AgentGate; since: string }
export type Evidence =
  | { kind: 'not_reached' } | { kind: 'listed' } | { kind: 'not_running'; state: string } | { kind: 'agent_lost' } | { kind: 'no_heartbeat' }
  | { kind: 'heard' } | { kind: 'old_agent'; version: string; lacks: ClosedGate[] }
  | { kind: 'tier_not_needed' } | { kind: 'tier_advanced' } | { kind: 'tier_standard' } | { kind: 'tier_changing' } | { kind: 'tier_checking' } | { kind: 'tier_unknown' }
  | { kind: 'iam_not_asked' } | { kind: 'iam_denied' } | { kind: 'iam_allowed' }
  | { kind: 'channel_trying'; tries: number } | { kind: 'channel_open' } | { kind: 'channel_not_tried' } | { kind: 'channel_connected' }
  | { kind: 'channel_not_connected' } | { kind: 'channel_not_connectable'; tries: number } | { kind: 'channel_opened'; afterMs: number }
  | { kind: 'channel_not_opened' };

export interface LadderStep { name: StepName; state: StepState; evidence: Evidence; atMs: number | null }
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
  check: CheckRow | null;
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
  tierChange: TierChange | null;
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

export type CallerKind = 'user' | 'role' | 'permission_set' | 'root' | 'other' | 'unknown';
export interface Caller { kind: CallerKind; name: string; capacity: string; arn: string }
export type PolicyKind =
  | 'identity' | 'resource' | 'boundary' | 'session' | 'service_control' | 'resource_control' | 'endpoint' | 'role_trust';
export type Stage = PolicyKind | 'document' | 'node';
export type Outcome = 'no_deny_reported' | 'no_allow' | 'denied' | 'cannot_override' | 'not_reached';
export interface ChainLink { stage: Stage; outcome: Outcome }
export interface Statement { json: string; terraform: string }

export interface Denied {
  caller: Caller;
  action: string;
  resource: string;
  nodeName: string;
  accountId: string;
  region: string;
  document: string | null;
  policy: PolicyKind | null;
  explicit: boolean;
  policyArn: string | null;
  chain: ChainLink[];
  remedy: Statement | null;
  guessed: boolean;
  checkedMs: number;
  firstGone: boolean;
  problem: CommandError;
}

export interface CheckRow {
  nodeKey: string;
  running: boolean;
  sinceMs: number;
  tries: number;
  nextTryMs: number | null;
  problem: CommandError | null;
  denied: Denied | null;
  asides: CommandError[];
}

export type TierTarget = 'standard' | 'advanced';
export type TierObstacle = 'unchanged' | 'pending' | 'too_many_nodes';
export interface TierChange { to: InstanceTier; sinceMs: number; problem: CommandError | null }

export interface TierReview {
  source: string;
  accountId: string;
  accountName: string;
  region: string;
  tier: InstanceTier;
  value: InstanceTier;
  isDefault: boolean;
  changedBy: string;
  changedMs: number | null;
  to: TierTarget;
  hybridNodes: number;
  isComplete: boolean;
  nodeHourUsd: number;
  hourUsd: number;
  monthUsd: number;
  standardLimit: number;
  obstacle: TierObstacle | null;
  settingArn: string;
  command: string;
  awsCommand: string;
}

export interface ActivationRow {
  id: string;
  description: string;
  name: string;
  role: string;
  limit: number;
  registered: number;
  expiresMs: number | null;
  expired: boolean;
  createdMs: number | null;
  tags: Tag[];
}

export interface Activations {
  source: string;
  accountName: string;
  region: string;
  rows: ActivationRow[];
  more: boolean;
  problem: CommandError | null;
}

export interface ActivationSpec {
  source: string;
  region: string;
  role: string;
  limit: number;
  hours: number;
  name: string;
  description: string;
  tags: Tag[];
}

export interface CreatedActivation { id: string; linux: string; windows: string; forgottenMs: number }
export type ActivationText = 'code' | 'linux' | 'windows';

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
  denied: Denied | null;
  silent: boolean;
  resumedAfterMs: number | null;
  demo: boolean;
  effects: DocumentEffects | null;
  activeMs: number;
  recording: RecordingMark | null;
}

export interface TabRow {
  id: string;
  kind: 'fleet' | 'shell' | 'replay';
  title: string;
  programTitle: string;
  session: SessionRow | null;
  replay: ReplayRow | null;
  unseen: boolean;
  bell: boolean;
}

export type ForwardKind = 'port' | 'remote_host' | 'rdp' | 'socks';
export type ForwardStart = 'on_demand' | 'at_once' | 'always';
export type ForwardGuard = 'auto' | 'on' | 'off';

export interface ForwardLimits { connections: number; idleMinutes: number; timeLimitMinutes: number; otherUsers: boolean }

export interface ForwardSpec {
  name: string;
  kind: ForwardKind;
  bundle: string | null;
  nodeKey: string;
  host: string | null;
  port: number | null;
  localPort: number;
  bind: string | null;
  socket: string | null;
  lanes: number;
  start: ForwardStart;
  favourite: boolean;
  limits: ForwardLimits;
  guard: ForwardGuard;
}

export type Arrangement =
  | { kind: 'rename_bundle'; bundle: string; name: string }
  | { kind: 'ungroup'; bundle: string }
  | { kind: 'remove_bundle'; bundle: string }
  | { kind: 'place'; id: string; bundle: string | null; before: string | null }
  | { kind: 'place_bundle'; bundle: string; before: string | null };

export type ForwardState =
  | { state: 'off' }
  | { state: 'paused' }
  | { state: 'idle' }
  | { state: 'starting'; step: string }
  | { state: 'active' }
  | { state: 'reconnecting'; cause: string; awaitsRetry: boolean }
  | { state: 'failed'; problem: CommandError; nextTryMs: number | null }
  | { state: 'exposes'; address: string }
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
  endsMs: number | null;
}

export interface Forwards { rows: ForwardRow[]; paused: boolean }

export interface LaneRow {
  number: number;
  sessionId: string | null;
  state: string;
  open: boolean;
  to: string | null;
  connections: number;
  rttMs: number | null;
  resumes: number;
}

export interface ConnectionRow {
  number: number;
  client: string;
  fromPort: number | null;
  to: string | null;
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

export type DesktopClient = 'auto' | 'mstsc' | 'windows_app' | 'free_rdp' | 'remmina';
export interface DesktopClientRow { client: DesktopClient; name: string; takesPassword: boolean }
export interface DesktopWindow { width: number; height: number }

export interface DesktopOptions {
  client: DesktopClient;
  user: string;
  domain: string;
  keyFile: string;
  window: DesktopWindow | null;
  allMonitors: boolean;
  clipboard: boolean;
  drives: boolean;
  printers: boolean;
  sound: boolean;
  keepAwake: boolean;
}

export interface DesktopInfo {
  source: string;
  clients: DesktopClientRow[];
  options: DesktopOptions;
  port: number;
  localPort: number;
  mayHavePassword: boolean;
  certificate: string | null;
}

export interface DesktopOpen {
  nodeKey: string;
  options: DesktopOptions;
  port: number;
  localPort: number;
  portOnly: boolean;
  acceptCertificate: string | null;
}

export type DesktopPassword = 'none' | 'handed' | 'to_copy';

export type DesktopOutcome =
  | { outcome: 'opened'; forward: string; address: string; client: string | null; password: DesktopPassword; firstCertificate: string | null }
  | { outcome: 'certificate_changed'; before: string; now: string };

export type CredentialKind =
  | 'access_key' | 'environment' | 'identity_center' | 'role' | 'web_identity' | 'process' | 'console_login' | 'nothing';
export type Ending = { ends: 'never' } | { ends: 'unknown' } | { ends: 'at'; ms: number; renews: boolean };
export type AccountState =
  | { state: 'ready'; ending: Ending }
  | { state: 'needs_sign_in' }
  | { state: 'over'; sinceMs: number }
  | { state: 'needs_code' }
  | { state: 'not_checked' }
  | { state: 'checking' }
  | { state: 'failed'; problem: CommandError };

export interface AccountSetting { name: string; value: string }

export interface AccountRow {
  source: string;
  kind: CredentialKind;
  accountId: string | null;
  role: string | null;
  arn: string | null;
  region: string | null;
  signIn: string | null;
  through: string[];
  mfaSerial: string | null;
  settings: AccountSetting[];
  own: boolean;
  inUse: boolean;
  state: AccountState;
  checkedMs: number | null;
}

export type SignInMethod = 'browser' | 'device';
export type SignInFlow =
  | { step: 'preparing' }
  | { step: 'waiting'; host: string; userCode: string | null; untilMs: number; unopened: string | null }
  | { step: 'failed'; problem: CommandError };

export interface SignInRow {
  label: string;
  startUrl: string;
  region: string;
  state: AccountState;
  sources: string[];
  own: boolean;
  flow: SignInFlow | null;
}

export interface MfaRefused { nextMs: number; usedBefore: boolean; text: string }
export interface MfaAsk {
  source: string;
  serial: string;
  role: string | null;
  durationS: number;
  waiting: number;
  trying: boolean;
  refused: MfaRefused | null;
}

export interface Accounts { rows: AccountRow[]; signIns: SignInRow[]; asks: MfaAsk[] }

export interface OpenRole { name: string; source: string | null; inUse: boolean }
export interface OpenAccount { accountId: string; name: string; email: string; roles: OpenRole[] }
export interface AccountPick { accountId: string; accountName: string; role: string }

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
  notify: boolean;
  startAtLogin: boolean;
  deepLinks: boolean;
  recordInput: boolean;
  recordingMib: number;
  recordingDays: number;
}

export type AppMode = { kind: 'first_run' } | { kind: 'demo' } | { kind: 'aws'; sources: string[] };
export type StartChoice = { kind: 'demo' } | { kind: 'aws'; sources: string[]; regions: string[] };

export interface SourceRow { name: string; region: string | null; method: string; problem: CommandError | null }
export interface IdentityRow { source: string; accountId: string; arn: string; name: string; expiresMs: number | null }
export interface Notice { id: string; level: 'info' | 'warn' | 'bad'; message: string; detail: string | null }
export type LinkOpens = 'node' | 'shell' | 'ssh' | 'desktop' | 'forward' | 'bundle';

export interface LinkQuestion {
  number: number;
  opens: LinkOpens;
  profile: string | null;
  nodeName: string;
  nodeId: string;
  accountName: string;
  region: string;
  document: string | null;
  ports: string[];
}

export type LanguageName = 'en' | 'de' | 'ja';

/** Who gets links into the app at present. */
export type LinkOpener = 'nobody' | 'us' | 'another' | 'bundle' | 'unknown';

export interface LinkStatus { on: boolean; opener: LinkOpener; detail: string | null }

export type LinkDone = { then: 'nothing' } | { then: 'show_node'; nodeKey: string } | { then: 'ask_desktop'; nodeKey: string };

export interface SshOptions { user: string; port: number; keyFile: string; pushKey: boolean }

export interface RestoreOffer { forwards: string[]; shells: string[] }
export interface QuitSummary { shells: string[]; forwards: QuitForward[]; programs: number; busiest: QuitClient | null; tray: boolean }
export interface QuitForward { name: string; kind: ForwardKind; nodeName: string; connections: number }
export interface QuitClient { client: string; bytes: number }

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
  accounts: Accounts;
  settings: Settings;
  notices: Notice[];
  restore: RestoreOffer | null;
  link: LinkQuestion | null;
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
  | { kind: 'check'; check: CheckRow }
  | { kind: 'accounts'; accounts: Accounts }
  | { kind: 'history'; summary: HistorySummary }
  | { kind: 'settings'; settings: Settings }
  | { kind: 'link'; question: LinkQuestion | null }
  | { kind: 'restore'; offer: RestoreOffer | null }
  | { kind: 'notices'; notices: Notice[] }
  | { kind: 'page_requested'; page: RequestedPage }
  | { kind: 'quit_requested'; summary: QuitSummary };

export type RequestedPage = 'forwards' | 'connect';

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
export interface Host extends AuditHost, ConnectHost, DocumentHost, HistoryHost, RecordingHost, ReplayHost, SecretsHost, SessionLogHost {
  /** Resolves once events are delivered, so that a snapshot taken afterwards misses none. */
  listen(onEvent: (event: AppEvent) => void): Promise<() => void>;

  appSnapshot(): Promise<AppSnapshot>;
  appStart(choice: StartChoice): Promise<void>;
  appLeave(): Promise<void>;
  appQuit(): Promise<void>;
  /** Quits when nothing runs; else the `quit_requested` event tells what would end. */
  appClose(): Promise<void>;
  appHide(): Promise<void>;
  /** Opens again what was open when the app ended, or forgets it. */
  appRestore(accept: boolean): Promise<void>;
  linkAnswer(number: number, accept: boolean): Promise<LinkDone>;
  linkStatus(): Promise<LinkStatus>;
  appLanguage(language: LanguageName): Promise<void>;

  fleetRefresh(): Promise<void>;
  /** One account-Region; one that is being listed goes on. */
  fleetRefreshOne(source: string, region: string): Promise<void>;
  fleetCancel(): Promise<void>;
  fleetBook(change: BookChange): Promise<FleetBook>;
  /** To a new file in the folder for downloads. */
  fleetExport(view: string, form: ExportForm, keys: string[] | null): Promise<Exported>;
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
  /** The system's `ssh` in a new tab. */
  sshOpen(nodeKey: string, options: SshOptions): Promise<TabRow>;
  editorOpen(nodeKey: string, options: SshOptions): Promise<void>;

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
  forwardExpose(id: string, address: string): Promise<void>;
  forwardSwitch(id: string, on: boolean): Promise<void>;
  /** `null` is what is in no bundle. */
  forwardBundle(bundle: string | null, on: boolean): Promise<void>;
  forwardsPause(paused: boolean): Promise<void>;
  forwardsArrange(arrangement: Arrangement): Promise<void>;
  forwardRetry(id: string): Promise<void>;
  /** `null` closes all of them. */
  forwardDisconnect(id: string, connection: number | null): Promise<void>;
  forwardDetail(id: string): Promise<ForwardDetail>;
  forwardTexts(id: string): Promise<ForwardTexts>;

  nodeCheck(key: string): Promise<void>;
  nodeCheckStop(key: string): Promise<void>;
  nodeDeregister(key: string): Promise<void>;
  tierReview(source: string, region: string, to: TierTarget): Promise<TierReview>;
  tierChange(source: string, region: string, to: TierTarget): Promise<void>;
  tierWatch(source: string, region: string): Promise<void>;
  activationsList(): Promise<Activations[]>;
  activationCreate(spec: ActivationSpec): Promise<CreatedActivation>;
  activationDelete(source: string, region: string, id: string): Promise<void>;
  /** The text with the code goes from the host to the clipboard; it does not come here. */
  activationCopy(id: string, which: ActivationText): Promise<void>;
  /** The one secret that comes here, for the eyes of whoever asks. */
  activationReveal(id: string): Promise<string>;
  activationForget(id: string): Promise<void>;
  desktopInfo(nodeKey: string): Promise<DesktopInfo>;
  /** Answers once the client was started, or nothing was. */
  desktopOpen(open: DesktopOpen): Promise<DesktopOutcome>;
  /** Copies the password that no client could be handed, once. */
  desktopCopyPassword(forward: string): Promise<void>;
  /** Without a source, all that can be asked without a person. Answers come as events. */
  accountsCheck(source: string | null): Promise<void>;
  signIn(name: string, method: SignInMethod): Promise<string>;
  signInAdd(startUrl: string, region: string, method: SignInMethod): Promise<string>;
  signInPage(label: string, copy: boolean): Promise<void>;
  signInCancel(label: string): Promise<void>;
  signOut(name: string): Promise<void>;
  signInAccounts(label: string): Promise<OpenAccount[]>;
  accountsUseRoles(label: string, region: string, picks: AccountPick[]): Promise<string[]>;
  accountsUse(sources: string[], inUse: boolean): Promise<void>;
  accountRemove(name: string): Promise<void>;
  mfaAnswer(source: string, code: string): Promise<void>;
  mfaDecline(source: string): Promise<void>;

  settingsApply(settings: Settings): Promise<Settings>;
  clipboardWrite(text: string): Promise<void>;
  systemOpenUrl(url: string): Promise<void>;
}
