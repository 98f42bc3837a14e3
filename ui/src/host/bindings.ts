import { Channel, invoke as __TAURI_INVOKE } from "@tauri-apps/api/core";
import * as __TAURI_EVENT from "@tauri-apps/api/event";

/** Commands */
export const commands = {
	appSnapshot: () => typedError<AppSnapshot, CommandError>(__TAURI_INVOKE("app_snapshot")),
	appStart: (choice: StartChoice) => typedError<null, CommandError>(__TAURI_INVOKE("app_start", { choice })),
	appLeave: () => typedError<null, CommandError>(__TAURI_INVOKE("app_leave")),
	appQuit: () => typedError<null, CommandError>(__TAURI_INVOKE("app_quit")),
	appHide: () => typedError<null, CommandError>(__TAURI_INVOKE("app_hide")),
	fleetRefresh: () => typedError<null, CommandError>(__TAURI_INVOKE("fleet_refresh")),
	fleetCancel: () => typedError<null, CommandError>(__TAURI_INVOKE("fleet_cancel")),
	fleetViewOpen: (query: FleetQuery) => typedError<FleetViewState, CommandError>(__TAURI_INVOKE("fleet_view_open", { query })),
	fleetViewQuery: (view: string, query: FleetQuery) => typedError<FleetViewState, CommandError>(__TAURI_INVOKE("fleet_view_query", { view, query })),
	fleetViewWindow: (view: string, offset: number, len: number) => typedError<FleetWindow, CommandError>(__TAURI_INVOKE("fleet_view_window", { view, offset, len })),
	fleetViewClose: (view: string) => typedError<null, CommandError>(__TAURI_INVOKE("fleet_view_close", { view })),
	fleetViewFind: (view: string, key: string) => typedError<number | null, CommandError>(__TAURI_INVOKE("fleet_view_find", { view, key })),
	fleetViewTypeAhead: (view: string, prefix: string, from: number) => typedError<number | null, CommandError>(__TAURI_INVOKE("fleet_view_type_ahead", { view, prefix, from })),
	fleetComplete: (text: string, cursor: number) => typedError<Completions, CommandError>(__TAURI_INVOKE("fleet_complete", { text, cursor })),
	fleetNode: (key: string) => typedError<NodeDetail, CommandError>(__TAURI_INVOKE("fleet_node", { key })),
	shellOpen: (nodeKey: string, document: string | null, reason: string | null) => typedError<TabRow, CommandError>(__TAURI_INVOKE("shell_open", { nodeKey, document, reason })),
	tabActivate: (tab: string) => typedError<null, CommandError>(__TAURI_INVOKE("tab_activate", { tab })),
	tabMove: (tab: string, index: number) => typedError<null, CommandError>(__TAURI_INVOKE("tab_move", { tab, index })),
	tabClose: (tab: string) => typedError<null, CommandError>(__TAURI_INVOKE("tab_close", { tab })),
	tabRestart: (tab: string) => typedError<null, CommandError>(__TAURI_INVOKE("tab_restart", { tab })),
	sessionRetry: (tab: string) => typedError<null, CommandError>(__TAURI_INVOKE("session_retry", { tab })),
	terminalAttach: (tab: string, frames: Channel<ArrayBuffer>) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_attach", { tab, frames })),
	terminalDetach: (tab: string) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_detach", { tab })),
	terminalAck: (tab: string, seq: number) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_ack", { tab, seq })),
	terminalResize: (tab: string, size: TerminalSize) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_resize", { tab, size })),
	terminalKey: (tab: string, key: KeyPress) => typedError<boolean, CommandError>(__TAURI_INVOKE("terminal_key", { tab, key })),
	terminalText: (tab: string, text: string) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_text", { tab, text })),
	terminalPaste: (tab: string, text: string, confirmed: boolean) => typedError<PasteOutcome, CommandError>(__TAURI_INVOKE("terminal_paste", { tab, text, confirmed })),
	terminalPasteClipboard: (tab: string, confirmed: boolean) => typedError<PasteOutcome, CommandError>(__TAURI_INVOKE("terminal_paste_clipboard", { tab, confirmed })),
	terminalMouse: (tab: string, mouse: MouseInput) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_mouse", { tab, mouse })),
	terminalFocus: (tab: string, focused: boolean) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_focus", { tab, focused })),
	terminalScroll: (tab: string, to: ScrollTo) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_scroll", { tab, to })),
	terminalSelect: (tab: string, input: SelectionInput) => typedError<null, CommandError>(__TAURI_INVOKE("terminal_select", { tab, input })),
	terminalCopy: (tab: string) => typedError<string, CommandError>(__TAURI_INVOKE("terminal_copy", { tab })),
	terminalSearch: (tab: string, request: SearchRequest) => typedError<SearchState, CommandError>(__TAURI_INVOKE("terminal_search", { tab, request })),
	terminalMirror: (tab: string) => typedError<string[], CommandError>(__TAURI_INVOKE("terminal_mirror", { tab })),
	settingsApply: (settings: Settings) => typedError<Settings, CommandError>(__TAURI_INVOKE("settings_apply", { settings })),
	clipboardWrite: (text: string) => typedError<null, CommandError>(__TAURI_INVOKE("clipboard_write", { text })),
	systemOpenUrl: (url: string) => typedError<null, CommandError>(__TAURI_INVOKE("system_open_url", { url })),
};

/** Events */
export const events = {
	appEvent: makeEvent<AppEvent>("app-event"),
};

/* Types */
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
  accounts: number;
  regions: number;
  accountRegions: AccountRegionRow[];
  refreshing: boolean;
  updatedMs: number | null;
}

export type SortColumn =
  | 'readiness' | 'name' | 'node_id' | 'kind' | 'platform' | 'account' | 'ip' | 'agent' | 'tier' | 'ping';

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
export interface QuitSummary { shells: string[] }

export interface AppSnapshot {
  version: number;
  mode: AppMode;
  platform: string;
  appVersion: string;
  softwareGl: boolean;
  sources: SourceRow[];
  identities: IdentityRow[];
  fleet: FleetSummary;
  tabs: TabRow[];
  activeTab: string;
  settings: Settings;
  notices: Notice[];
}

export type Change =
  | { kind: 'mode'; mode: AppMode; sources: SourceRow[]; identities: IdentityRow[] }
  | { kind: 'fleet'; summary: FleetSummary }
  | { kind: 'view'; view: FleetViewState }
  | { kind: 'tabs'; tabs: TabRow[]; active: string }
  | { kind: 'tab'; tab: TabRow }
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


async function typedError<T, E>(result: Promise<T>): Promise<{ status: "ok"; data: T } | { status: "error"; error: E }> {
	try {
		return { status: "ok", data: await result };
	} catch (e) {
		if (e instanceof Error) throw e;
		return { status: "error", error: e as E };
	}
}

function makeEvent<T>(name: string) {
	return {
		listen: (cb: __TAURI_EVENT.EventCallback<T>) => __TAURI_EVENT.listen(name, cb),
	};
}
