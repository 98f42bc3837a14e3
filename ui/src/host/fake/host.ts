import type { AppEvent, AppMode, BookChange, Change, FleetBook, CommandError, FleetQuery, FleetViewState, Host, NodeRow, SessionState, Settings, SourceRow, TabRow } from '../types';
import { HostError } from '../types';
import { FakeAccess } from './access';
import { inventDenial } from './denials';
import { FakeAccounts } from './accounts';
import { createFakeDocuments } from './documents';
import { createFakeHistory } from './history';
import { createFakeAudit } from './audit';
import { createFakeSessionLog } from './session-log';
import { createFakeRecordings } from './recordings';
import { createFakeSecrets } from './secrets';
import { FakeForwards } from './forwards';
import { detailOf, inventFleet, runQuery, summarize } from './fleet';
import { FakeTerminal } from './terminal';

const SOURCES: SourceRow[] = [
  { name: 'payments-prod', region: 'eu-central-1', method: 'IAM Identity Center', problem: null },
  { name: 'plants-eu', region: 'eu-central-1', method: 'IAM Identity Center', problem: null },
  { name: 'shared-core', region: null, method: 'assume role', problem: null },
  { name: 'ci', region: 'us-east-1', method: 'credential process', problem: null },
  { name: 'sandbox', region: 'eu-west-1', method: 'unknown', problem: problem('not_signed_in', 'It names the source profile “gone”, which does not exist.') },
];

function problem(code: CommandError['code'], message: string): CommandError {
  return { code, message, hint: null, detail: null, requestId: null };
}

/** A host with an invented fleet, for looking at the interface in a browser. `?first` starts at the first-run page. */
export function createFakeHost(options: URLSearchParams): Host {
  const fleet = inventFleet(Number(options.get('nodes') ?? 1284));
  const listeners = new Set<(event: AppEvent) => void>();
  const views = new Map<string, { state: FleetViewState; rows: NodeRow[]; query: FleetQuery }>();
  const terminals = new Map<string, FakeTerminal>();
  let version = 1;
  let counter = 0;
  let mode: AppMode = options.has('first') ? { kind: 'first_run' } : { kind: 'demo' };
  let active = 'fleet';
  let tabs: TabRow[] = [{ id: 'fleet', kind: 'fleet', title: 'Fleet', programTitle: '', session: null, replay: null, unseen: false, bell: false }];
  let settings: Settings = {
    theme: options.get('theme') === 'light' ? 'light' : 'dark', density: 'normal', terminalFontPx: 13, scrollbackLines: 50_000,
    railMini: false, inspectorOpen: true, inspectorPx: 296, screenReader: false, deepLinks: false, notify: true, startAtLogin: false,
    recordInput: false, recordingMib: 50, recordingDays: 90,
  };

  const emit = (change: Change) => {
    version += 1;
    const event = { version, change };
    queueMicrotask(() => listeners.forEach((listener) => listener(event)));
  };
  const emitTabs = () => emit({ kind: 'tabs', tabs, active });
  const setState = (id: string, state: SessionState, resumedAfterMs: number | null = null) => {
    tabs = tabs.map((tab) => (tab.id === id && tab.session ? { ...tab, session: { ...tab.session, state, resumedAfterMs } } : tab));
    const tab = tabs.find((row) => row.id === id);
    if (tab) emit({ kind: 'tab', tab });
  };
  const viewOf = (id: string) => {
    const view = views.get(id);
    if (!view) throw new HostError(problem('not_found', 'That view is gone.'));
    return view;
  };
  const ask = (id: string, query: FleetQuery) => {
    const result = runQuery(fleet, query);
    const state = { view: id, version: (views.get(id)?.state.version ?? 0) + 1, matched: result.rows.length, total: fleet.rows.length, issues: result.issues };
    views.set(id, { state, rows: result.rows, query });
    return state;
  };
  const terminal = (tab: string) => {
    const found = terminals.get(tab);
    if (!found) throw new HostError(problem('not_found', 'That tab is gone.'));
    return found;
  };
  const record = (id: string, on: boolean) => {
    tabs = tabs.map((tab) => (tab.id === id && tab.session ? { ...tab, session: { ...tab.session, recording: on ? { sinceMs: Date.now(), input: settings.recordInput } : null } } : tab));
    const tab = tabs.find((row) => row.id === id);
    if (tab) emit({ kind: 'tab', tab });
  };
  const drop = (id: string) => {
    const sinceMs = Date.now();
    setState(id, { state: 'reconnecting', cause: 'The gateway closed the connection without a word (code 1006).', sinceMs, attempt: 1, nextTryMs: sinceMs + 3000 });
    window.setTimeout(() => setState(id, { state: 'reconnecting', cause: 'The gateway closed the connection without a word (code 1006).', sinceMs, attempt: 2, nextTryMs: sinceMs + 14_000 }), 3000);
    window.setTimeout(() => setState(id, { state: 'connected' }, Date.now() - sinceMs), Number(options.get('outage') ?? 14_000));
  };
  const begin = (id: string, node: NodeRow) => {
    terminals.set(id, new FakeTerminal(node.name, {
      exit: () => setState(id, { state: 'ended', atMs: Date.now(), cause: 'the shell on the node exited', normal: true }),
      drop: () => drop(id),
      ring: () => undefined,
    }));
    window.setTimeout(() => setState(id, { state: 'connected' }), 400);
  };
  const refuse = (id: string, node: NodeRow, kind: string) => {
    const denied = inventDenial(node, kind);
    tabs = tabs.map((tab) => (tab.id === id && tab.session ? { ...tab, session: { ...tab.session, denied } } : tab));
    setState(id, { state: 'failed', problem: denied.problem });
  };
  const later = <T,>(make: () => T): Promise<T> => new Promise((resolve, reject) => {
    window.setTimeout(() => {
      try {
        resolve(make());
      } catch (cause) {
        reject(HostError.from(cause));
      }
    }, 3);
  });
  const nodeOf = (key: string): NodeRow => {
    const row = fleet.rows.find((one) => one.key === key);
    if (!row) throw new HostError(problem('not_found', 'That node is not in the list any more.'));
    return row;
  };

  const access = new FakeAccess(fleet, nodeOf, emit, () => emit({ kind: 'fleet', summary: summarize(fleet, ++version, false) }), options);
  let book: FleetBook = { views: [], groups: [], favourites: 0, layout: { columns: [], widths: [] }, open: null };
  const mark = (key: string, change: Partial<NodeRow>) => {
    const at = fleet.rows.findIndex((row) => row.key === key);
    const row = fleet.rows[at];
    if (row) fleet.rows[at] = { ...row, ...change };
  };
  const changeBook = (change: BookChange) => {
    switch (change.change) {
      case 'save_view': book = { ...book, views: [...book.views.filter((view) => view.name !== change.view.name), change.view] }; break;
      case 'rename_view': book = { ...book, open: change.to, views: book.views.map((view) => (view.name === change.from ? { ...view, name: change.to } : view)) }; break;
      case 'remove_view': book = { ...book, open: null, views: book.views.filter((view) => view.name !== change.name) }; break;
      case 'layout':
        book = change.view === null ? { ...book, layout: change.layout }
          : { ...book, views: book.views.map((view) => (view.name === change.view ? { ...view, layout: change.layout } : view)) };
        break;
      case 'open': book = { ...book, open: change.view }; break;
      case 'favourite':
        for (const key of change.nodes) mark(key, { favourite: change.on });
        book = { ...book, favourites: fleet.rows.filter((row) => row.favourite).length };
        for (const id of views.keys()) emit({ kind: 'view', view: ask(id, views.get(id)?.query ?? { text: '', sort: 'name', descending: false }) });
        break;
      case 'add_group': book = { ...book, groups: [...book.groups, { name: change.name, nodes: [] }] }; break;
      case 'rename_group': book = { ...book, groups: book.groups.map((group) => (group.name === change.from ? { ...group, name: change.to } : group)) }; break;
      case 'remove_group': book = { ...book, groups: book.groups.filter((group) => group.name !== change.name) }; break;
      case 'member': {
        const others = (nodes: string[]) => nodes.filter((key) => !change.nodes.includes(key));
        book = { ...book, groups: book.groups.map((group) => (group.name === change.group ? { ...group, nodes: [...others(group.nodes), ...(change.on ? change.nodes : [])] } : group)) };
      }
    }
    emit({ kind: 'book', book });
    return book;
  };

  const forwards = new FakeForwards(nodeOf, emit, options.has('noforwards') ? [] : fleet.rows);
  const accounts = new FakeAccounts(emit);

  const host: Host = {
    ...createFakeDocuments(),
    ...createFakeRecordings(),
    tabRecord: (tab, on) => later(() => record(tab, on)),
    replayControl: () => later(() => undefined),
    ...createFakeSecrets(options.get('secrets')),
    ...createFakeAudit(),
    ...createFakeSessionLog(fleet.rows),
    ...createFakeHistory(fleet.rows, Number(options.get('sessions') ?? 400)),
    listen: (onEvent) => {
      listeners.add(onEvent);
      return Promise.resolve(() => listeners.delete(onEvent));
    },
    appSnapshot: () => later(() => ({
      version, mode, platform: 'linux', appVersion: '0.1.0', softwareGl: options.has('software'), sources: options.has('nosources') ? [] : SOURCES, identities: [],
      fleet: summarize(fleet, 1, false), book, tabs, activeTab: active, forwards: forwards.all(), accounts: accounts.all(), settings, notices: [],
      link: options.has('link') ? { number: 1, opens: 'forward', profile: 'Ledger database', nodeName: 'pay-bastion-1', nodeId: 'i-0a61f0c20d4e5f6a7', accountName: 'payments-prod', region: 'eu-central-1', document: null, ports: ['127.0.0.1:5433 › ledger.internal:5432'] } : null,
      restore: options.has('restore') ? { forwards: ['Ledger database', 'Metrics'], shells: ['pay-api-03'] } : null,
    })),
    appStart: (choice) => later(() => {
      mode = choice.kind === 'demo' ? { kind: 'demo' } : { kind: 'aws', sources: choice.sources };
      emit({ kind: 'mode', mode, sources: SOURCES, identities: [] });
      emit({ kind: 'fleet', summary: summarize(fleet, 2, false) });
    }),
    appLeave: () => later(() => {
      mode = { kind: 'first_run' };
      emit({ kind: 'mode', mode, sources: SOURCES, identities: [] });
    }),
    appQuit: () => later(() => undefined),
    appClose: () => later(() => emit({ kind: 'quit_requested', summary: {
      shells: ['pay-api-03', 'pay-win-07', 'hel-edge-12'], programs: 6, busiest: { client: 'pg_dump', bytes: 3.7e9 }, tray: true,
      forwards: forwards.all().rows.filter((row) => row.on).map((row) => ({ name: row.spec.name, kind: row.spec.kind, nodeName: row.nodeName, connections: row.connections })),
    } })),
    appHide: () => later(() => undefined),
    appLanguage: () => later(() => undefined),
    linkStatus: () => later(() => ({ on: settings.deepLinks, opener: settings.deepLinks ? 'us' : 'nobody', detail: null })),
    linkAnswer: () => later(() => {
      emit({ kind: 'link', question: null });
      return { then: 'nothing' };
    }),
    sshOpen: () => Promise.reject(new HostError({ code: 'unsupported', message: 'Nodes of the demo fleet have no SSH server.', hint: null, detail: null, requestId: null })),
    editorOpen: () => later(() => undefined),
    appRestore: () => later(() => emit({ kind: 'restore', offer: null })),
    fleetRefresh: () => later(() => emit({ kind: 'fleet', summary: summarize(fleet, version, true) })),
    fleetRefreshOne: () => later(() => emit({ kind: 'fleet', summary: summarize(fleet, version, true) })),
    fleetBook: (change) => later(() => changeBook(change)),
    fleetExport: (view, form, keys) => later(() => ({ path: `/home/mika/Downloads/fleetline-nodes.${form}`, nodes: keys?.length ?? viewOf(view).state.matched })),
    fleetCancel: () => later(() => emit({ kind: 'fleet', summary: summarize(fleet, version, false) })),
    fleetViewOpen: (query) => later(() => ask(`view-${++counter}`, query)),
    fleetViewQuery: (view, query) => later(() => (viewOf(view), ask(view, query))),
    fleetViewWindow: (view, offset, len) => later(() => {
      const found = viewOf(view);
      return { view, version: found.state.version, offset, rows: found.rows.slice(offset, offset + len) };
    }),
    fleetViewClose: (view) => later(() => void views.delete(view)),
    fleetViewFind: (view, key) => later(() => {
      const index = viewOf(view).rows.findIndex((row) => row.key === key);
      return index < 0 ? null : index;
    }),
    fleetViewTypeAhead: (view, prefix, from) => later(() => {
      const { rows } = viewOf(view);
      const starts = (row: NodeRow) => row.name.toLowerCase().startsWith(prefix.toLowerCase());
      const after = rows.findIndex((row, i) => i >= from && starts(row));
      const index = after >= 0 ? after : rows.findIndex(starts);
      return index < 0 ? null : index;
    }),
    fleetComplete: (text, cursor) => later(() => {
      const start = text.slice(0, cursor).search(/\S*$/u);
      const word = text.slice(start, cursor).toLowerCase();
      const all = ['platform:windows', 'platform:linux', 'platform:macos', 'ping:lost', 'ping:online', 'kind:hybrid', 'kind:ec2', 'region:eu-central-1', 'tag:env=prod', 'tag:team=payments'];
      const items = word === '' ? [] : all.filter((item) => item.startsWith(word) && item !== word)
        .map((item) => ({ text: item, label: '', count: runQuery(fleet, { text: item, sort: 'name', descending: false }).rows.length }));
      return { start, end: cursor, items };
    }),
    fleetNode: (key) => later(() => ({
      ...access.detail(key, detailOf(nodeOf(key), fleet.tags.get(key) ?? {})),
      groups: book.groups.filter((group) => group.nodes.includes(key)).map((group) => group.name),
      sessions: tabs.filter((tab) => tab.session?.nodeKey === key).map((tab) => ({ tab: tab.id, label: 'Shell', startedMs: tab.session?.startedMs ?? 0 })),
    })),
    shellOpen: (nodeKey) => later(() => {
      const node = nodeOf(nodeKey);
      const id = `tab-${++counter}`;
      const tab: TabRow = {
        id, kind: 'shell', title: node.name, programTitle: '', replay: null, unseen: false, bell: false,
        session: {
          sessionId: null, nodeKey, nodeId: node.nodeId, nodeName: node.name, accountName: node.accountName, region: node.region,
          document: 'SSM-SessionManagerRunShell', startedMs: Date.now(), state: { state: 'connecting', step: 'Waiting for the node' }, denied: null, silent: options.has('silent'), resumedAfterMs: null, demo: true, recording: null, activeMs: Date.now(),
          effects: { contentCanBeLogged: true, s3: 'fleet-logs', cloudWatch: null, streams: false, sealedWith: 'alias/fleet-sessions', runAs: { kind: 'agent_user', name: 'ssm-user' }, idleMinutes: 20, maxMinutes: null },
        },
      };
      tabs = [...tabs, tab];
      active = id;
      if (options.has('fail')) {
        terminals.set(id, new FakeTerminal(node.name, { exit: () => undefined, drop: () => undefined, ring: () => undefined }));
        window.setTimeout(() => refuse(id, node, options.get('fail') ?? ''), 300);
      } else begin(id, node);
      emitTabs();
      return tab;
    }),
    connectCheck: (request) => later(() => ({
      problems: [], awsCommand: `aws ssm start-session --target ${nodeOf(request.nodeKey).nodeId}${request.document === null ? '' : ` --document-name ${request.document}`}`,
      fleetlineCommand: `fleetline shell ${nodeOf(request.nodeKey).nodeId}`,
    })),
    connectLast: () => later(() => null),
    connectOpen: (request) => host.shellOpen(request.nodeKey, request.document, request.reason),
    tabActivate: (tab) => later(() => {
      active = tab;
      emitTabs();
    }),
    tabMove: (tab, index) => later(() => {
      const moved = tabs.find((row) => row.id === tab);
      if (!moved) return;
      const rest = tabs.filter((row) => row.id !== tab);
      tabs = [...rest.slice(0, index), moved, ...rest.slice(index)];
      emitTabs();
    }),
    tabClose: (tab) => later(() => {
      const at = tabs.findIndex((row) => row.id === tab);
      tabs = tabs.filter((row) => row.id !== tab);
      if (active === tab) active = tabs[Math.max(0, at - 1)]?.id ?? 'fleet';
      terminals.delete(tab);
      emitTabs();
    }),
    tabRestart: (tab) => later(() => {
      const row = tabs.find((one) => one.id === tab);
      if (!row?.session) return;
      const node = nodeOf(row.session.nodeKey);
      setState(tab, { state: 'connecting', step: 'Waiting for the node' });
      if (row.session.denied) window.setTimeout(() => refuse(tab, node, 'service_control'), 1500);
      else begin(tab, node);
    }),
    sessionRetry: (tab) => later(() => setState(tab, { state: 'connected' }, 4100)),
    terminalAttach: (tab, onFrame) => later(() => terminal(tab).attach(onFrame)),
    terminalDetach: (tab) => later(() => terminals.get(tab)?.detach()),
    terminalAck: (tab, seq) => later(() => terminal(tab).ack(seq)),
    terminalResize: (tab, size) => later(() => terminal(tab).resize(size)),
    terminalKey: (tab, key) => later(() => terminal(tab).key(key)),
    terminalText: (tab, text) => later(() => terminal(tab).text(text)),
    terminalPaste: (tab, text, confirmed) => later(() => terminal(tab).paste(text, confirmed)),
    terminalPasteClipboard: (tab, confirmed) => later(() => terminal(tab).paste('ls -l\nrm -rf build\necho done', confirmed)),
    terminalMouse: () => later(() => undefined),
    terminalFocus: () => later(() => undefined),
    terminalScroll: (tab, to) => later(() => terminal(tab).scroll(to)),
    terminalSelect: (tab, input) => later(() => terminal(tab).select(input)),
    terminalCopy: (tab) => later(() => terminal(tab).copy()),
    terminalSearch: (tab, request) => later(() => terminal(tab).search(request)),
    terminalMirror: (tab) => later(() => terminal(tab).mirror()),
    forwardCreate: (spec) => later(() => forwards.create(spec)),
    forwardEdit: (id, spec) => later(() => forwards.edit(id, spec)),
    forwardRemove: (id) => later(() => forwards.remove(id)),
    forwardExpose: (id, address) => later(() => forwards.expose(id, address)),
    forwardSwitch: (id, on) => later(() => forwards.switch(id, on)),
    forwardBundle: (bundle, on) => later(() => forwards.switchBundle(bundle, on)),
    forwardsPause: (paused) => later(() => forwards.pause(paused)),
    forwardsArrange: (arrangement) => later(() => forwards.arrange(arrangement)),
    forwardRetry: (id) => later(() => forwards.switch(id, true)),
    forwardDisconnect: (id, connection) => later(() => forwards.disconnect(id, connection)),
    forwardDetail: (id) => later(() => forwards.detail(id)),
    forwardTexts: (id) => later(() => forwards.texts(id)),
    nodeCheck: (key) => later(() => access.check(key)),
    nodeCheckStop: (key) => later(() => access.stop(key)),
    nodeDeregister: (key) => later(() => access.deregister(key)),
    tierReview: (source, region, to) => later(() => access.review(source, region, to)),
    tierChange: (source, region, to) => later(() => access.change(source, region, to)),
    tierWatch: () => later(() => undefined),
    activationsList: () => later(() => access.activations()),
    activationCreate: (spec) => later(() => access.create(spec)),
    activationDelete: (_source, _region, id) => later(() => access.remove(id)),
    activationCopy: () => later(() => undefined),
    activationReveal: () => later(() => 'Zx8kQ2fVn0aLr5TyUw3e'),
    activationForget: () => later(() => undefined),
    desktopInfo: () => later(() => ({
      source: 'payments-prod',
      clients: [{ client: 'remmina', name: 'Remmina', takesPassword: false }, { client: 'free_rdp', name: 'FreeRDP 3', takesPassword: true }],
      options: {
        client: 'auto', user: '', domain: '', keyFile: '', window: null, allMonitors: false, clipboard: false, drives: false, printers: false,
        sound: false, keepAwake: true,
      },
      port: 3389, localPort: 13_391, mayHavePassword: true, certificate: null,
    })),
    desktopOpen: (open) => later(() => ({
      outcome: 'opened', forward: 'desktop', address: `127.0.0.1:${open.localPort || 13_391}`, client: open.portOnly ? null : 'Remmina',
      password: open.options.keyFile === '' ? 'none' : 'to_copy', firstCertificate: 'ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89',
    })),
    desktopCopyPassword: () => later(() => undefined),
    accountsCheck: (source) => later(() => accounts.check(source)),
    signIn: (name, method) => later(() => accounts.signIn(name, method)),
    signInAdd: (startUrl, region, method) => later(() => accounts.add(startUrl, region, method)),
    signInPage: () => later(() => undefined),
    signInCancel: (label) => later(() => accounts.cancel(label)),
    signOut: (name) => later(() => accounts.signOut(name)),
    signInAccounts: (label) => later(() => accounts.opened(label)),
    accountsUseRoles: (label, region, picks) => later(() => accounts.useRoles(label, region, picks)),
    accountsUse: (sources, inUse) => later(() => accounts.use(sources, inUse)),
    accountRemove: (name) => later(() => accounts.remove(name)),
    mfaAnswer: (source, code) => later(() => accounts.answer(source, code)),
    mfaDecline: (source) => later(() => accounts.decline(source)),
    settingsApply: (next) => later(() => {
      settings = next;
      emit({ kind: 'settings', settings });
      return settings;
    }),
    clipboardWrite: () => later(() => undefined),
    systemOpenUrl: () => later(() => undefined),
  };
  if (options.has('quit')) window.setTimeout(() => void host.appClose(), 600);
  return host;
}
