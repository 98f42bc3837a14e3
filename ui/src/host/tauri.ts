import { Channel } from '@tauri-apps/api/core';

import { commands, events } from './bindings';
import type * as Bindings from './bindings';
import { HostError } from './types';
import type * as Ours from './types';

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: Bindings.CommandError };

/** The generator types every float as `number | null`; this makes both sides equally loose before comparing. */
type Loose<T> = T extends number
  ? number | null
  : T extends ArrayBuffer
    ? T
    : T extends object
      ? { [K in keyof T]-?: Loose<Exclude<T[K], undefined>> }
      : T;
type Agree<A, B> = [Loose<A>] extends [Loose<B>] ? ([Loose<B>] extends [Loose<A>] ? true : never) : never;

/** Fails to compile when the generated contract and the interface's view of it drift apart. */
export const contract: {
  snapshot: Agree<Ours.AppSnapshot, Bindings.AppSnapshot>;
  event: Agree<Ours.AppEvent, Bindings.AppEvent>;
  node: Agree<Ours.NodeDetail, Bindings.NodeDetail>;
  window: Agree<Ours.FleetWindow, Bindings.FleetWindow>;
  completions: Agree<Ours.Completions, Bindings.Completions>;
  query: Agree<Ours.FleetQuery, Bindings.FleetQuery>;
  start: Agree<Ours.StartChoice, Bindings.StartChoice>;
  book: Agree<Ours.FleetBook, Bindings.FleetBook>;
  bookChange: Agree<Ours.BookChange, Bindings.BookChange>;
  exported: Agree<Ours.Exported, Bindings.Exported>;
  key: Agree<Ours.KeyPress, Bindings.KeyPress>;
  mouse: Agree<Ours.MouseInput, Bindings.MouseInput>;
  scroll: Agree<Ours.ScrollTo, Bindings.ScrollTo>;
  select: Agree<Ours.SelectionInput, Bindings.SelectionInput>;
  paste: Agree<Ours.PasteOutcome, Bindings.PasteOutcome>;
  search: Agree<Ours.SearchState, Bindings.SearchState>;
  forward: Agree<Ours.ForwardDetail, Bindings.ForwardDetail>;
  spec: Agree<Ours.ForwardSpec, Bindings.ForwardSpec>;
  texts: Agree<Ours.ForwardTexts, Bindings.ForwardTexts>;
  review: Agree<Ours.TierReview, Bindings.TierReview>;
  activations: Agree<Ours.Activations, Bindings.Activations>;
  activation: Agree<Ours.ActivationSpec, Bindings.ActivationSpec>;
  created: Agree<Ours.CreatedActivation, Bindings.CreatedActivation>;
  desktop: Agree<Ours.DesktopInfo, Bindings.DesktopInfo>;
  desktopOpen: Agree<Ours.DesktopOpen, Bindings.DesktopOpen>;
  desktopOutcome: Agree<Ours.DesktopOutcome, Bindings.DesktopOutcome>;
  opened: Agree<Ours.OpenAccount, Bindings.OpenAccount>;
  pick: Agree<Ours.AccountPick, Bindings.AccountPick>;
  document: Agree<Ours.DocumentDetail, Bindings.DocumentDetail>;
  documentRow: Agree<Ours.DocumentRow, Bindings.DocumentRow>;
  documentEdit: Agree<Ours.DocumentEdit, Bindings.DocumentEdit>;
  documentSave: Agree<Ours.DocumentSave, Bindings.DocumentSave>;
  documentSaved: Agree<Ours.DocumentSaved, Bindings.DocumentSaved>;
  documentLine: Agree<Ours.DocumentLine, Bindings.DocumentLine>;
  preferences: Agree<Ours.PreferencesOutcome, Bindings.PreferencesOutcome>;
  connectRequest: Agree<Ours.ConnectRequest, Bindings.ConnectRequest>;
  connectCheck: Agree<Ours.ConnectCheck, Bindings.ConnectCheck>;
  historyQuery: Agree<Ours.HistoryQuery, Bindings.HistoryQuery>;
  historyWindow: Agree<Ours.HistoryWindow, Bindings.HistoryWindow>;
  historyEnded: Agree<Ours.HistoryEnded, Bindings.HistoryEnded>;
  replayControl: Agree<Ours.ReplayControl, Bindings.ReplayControl>;
  sessionLog: Agree<Ours.SessionLog, Bindings.SessionLog>;
  logAsk: Agree<Ours.LogAsk, Bindings.LogAsk>;
  sessionEvents: Agree<Ours.SessionEventList, Bindings.SessionEventList>;
  audit: Agree<Ours.AuditReport, Bindings.AuditReport>;
  recordings: Agree<Ours.RecordingList, Bindings.RecordingList>;
  secrets: Agree<Ours.SecretsStatus, Bindings.SecretsStatus>;
} = {
  snapshot: true, event: true, node: true, window: true, completions: true, query: true, start: true, book: true, bookChange: true, exported: true,
  key: true, mouse: true, scroll: true, select: true, paste: true, search: true, forward: true, spec: true, texts: true,
  review: true, activations: true, activation: true, created: true,
  desktop: true, desktopOpen: true, desktopOutcome: true,
  opened: true, pick: true,
  document: true, documentRow: true, documentEdit: true, documentSave: true, documentSaved: true, documentLine: true,
  preferences: true, connectRequest: true, connectCheck: true, historyQuery: true, historyWindow: true, historyEnded: true, sessionLog: true, logAsk: true, sessionEvents: true, audit: true,
  replayControl: true, recordings: true, secrets: true,
};

/** Unfolds an answer: `T` is the interface's view of what the binding delivers. */
async function data<T>(call: Promise<Answer<unknown>>): Promise<T> {
  let answer: Answer<unknown>;
  try {
    answer = await call;
  } catch (cause) {
    throw HostError.from(cause);
  }
  if (answer.status === 'error') throw new HostError(answer.error as Ours.CommandError);
  return answer.data as T;
}

async function done(call: Promise<Answer<unknown>>): Promise<void> {
  await data<unknown>(call);
}

/** The host inside the desktop application. */
export function createTauriHost(): Ours.Host {
  return {
    listen: (onEvent) => events.appEvent.listen((event) => onEvent(event.payload as Ours.AppEvent)),

    appSnapshot: () => data(commands.appSnapshot()),
    appStart: (choice) => done(commands.appStart(choice)),
    appLeave: () => done(commands.appLeave()),
    appQuit: () => done(commands.appQuit()),
    appClose: () => done(commands.appClose()),
    appHide: () => done(commands.appHide()),
    appLanguage: (name) => done(commands.appLanguage(name)),
    linkStatus: () => data(commands.linkStatus()),
    linkAnswer: (number, accept) => data(commands.linkAnswer(number, accept)),
    appRestore: (accept) => done(commands.appRestore(accept)),

    fleetRefresh: () => done(commands.fleetRefresh()),
    fleetRefreshOne: (source, region) => done(commands.fleetRefreshOne(source, region)),
    fleetCancel: () => done(commands.fleetCancel()),
    fleetBook: (change) => data(commands.fleetBook(change)),
    fleetExport: (view, form, keys) => data(commands.fleetExport(view, form, keys)),
    fleetViewOpen: (query) => data(commands.fleetViewOpen(query)),
    fleetViewQuery: (view, query) => data(commands.fleetViewQuery(view, query)),
    fleetViewWindow: (view, offset, len) => data(commands.fleetViewWindow(view, offset, len)),
    fleetViewClose: (view) => done(commands.fleetViewClose(view)),
    fleetViewFind: (view, key) => data(commands.fleetViewFind(view, key)),
    fleetViewTypeAhead: (view, prefix, from) => data(commands.fleetViewTypeAhead(view, prefix, from)),
    fleetComplete: (text, cursor) => data(commands.fleetComplete(text, cursor)),
    fleetNode: (key) => data(commands.fleetNode(key)),

    shellOpen: (nodeKey, document, reason) => data(commands.shellOpen(nodeKey, document, reason)),
    tabActivate: (tab) => done(commands.tabActivate(tab)),
    tabMove: (tab, index) => done(commands.tabMove(tab, index)),
    tabClose: (tab) => done(commands.tabClose(tab)),
    tabRestart: (tab) => done(commands.tabRestart(tab)),
    sessionRetry: (tab) => done(commands.sessionRetry(tab)),
    sshOpen: (nodeKey, options) => data(commands.sshOpen(nodeKey, options)),
    editorOpen: (nodeKey, options) => done(commands.editorOpen(nodeKey, options)),

    terminalAttach: (tab, onFrame) => {
      const frames = new Channel<ArrayBuffer>();
      frames.onmessage = onFrame;
      return done(commands.terminalAttach(tab, frames));
    },
    terminalDetach: (tab) => done(commands.terminalDetach(tab)),
    terminalAck: (tab, seq) => done(commands.terminalAck(tab, seq)),
    terminalResize: (tab, size) => done(commands.terminalResize(tab, size)),
    terminalKey: (tab, key) => data(commands.terminalKey(tab, key)),
    terminalText: (tab, text) => done(commands.terminalText(tab, text)),
    terminalPaste: (tab, text, confirmed) => data(commands.terminalPaste(tab, text, confirmed)),
    terminalPasteClipboard: (tab, confirmed) => data(commands.terminalPasteClipboard(tab, confirmed)),
    terminalMouse: (tab, mouse) => done(commands.terminalMouse(tab, mouse)),
    terminalFocus: (tab, focused) => done(commands.terminalFocus(tab, focused)),
    terminalScroll: (tab, to) => done(commands.terminalScroll(tab, to)),
    terminalSelect: (tab, input) => done(commands.terminalSelect(tab, input)),
    terminalCopy: (tab) => data(commands.terminalCopy(tab)),
    terminalSearch: (tab, request) => data(commands.terminalSearch(tab, request)),
    terminalMirror: (tab) => data(commands.terminalMirror(tab)),

    forwardCreate: (spec) => data(commands.forwardCreate(spec)),
    forwardEdit: (id, spec) => data(commands.forwardEdit(id, spec)),
    forwardRemove: (id) => done(commands.forwardRemove(id)),
    forwardExpose: (id, address) => done(commands.forwardExpose(id, address)),
    forwardSwitch: (id, on) => done(commands.forwardSwitch(id, on)),
    forwardBundle: (bundle, on) => done(commands.forwardBundle(bundle, on)),
    forwardsPause: (paused) => done(commands.forwardsPause(paused)),
    forwardsArrange: (arrangement) => done(commands.forwardsArrange(arrangement)),
    forwardRetry: (id) => done(commands.forwardRetry(id)),
    forwardDisconnect: (id, connection) => done(commands.forwardDisconnect(id, connection)),
    forwardDetail: (id) => data(commands.forwardDetail(id)),
    forwardTexts: (id) => data(commands.forwardTexts(id)),

    nodeCheck: (key) => done(commands.nodeCheck(key)),
    nodeCheckStop: (key) => done(commands.nodeCheckStop(key)),
    nodeDeregister: (key) => done(commands.nodeDeregister(key)),
    tierReview: (source, region, to) => data(commands.tierReview(source, region, to)),
    tierChange: (source, region, to) => done(commands.tierChange(source, region, to)),
    tierWatch: (source, region) => done(commands.tierWatch(source, region)),
    activationsList: () => data(commands.activationsList()),
    activationCreate: (spec) => data(commands.activationCreate(spec)),
    activationDelete: (source, region, id) => done(commands.activationDelete(source, region, id)),
    activationCopy: (id, which) => done(commands.activationCopy(id, which)),
    activationReveal: (id) => data(commands.activationReveal(id)),
    activationForget: (id) => done(commands.activationForget(id)),
    desktopInfo: (nodeKey) => data(commands.desktopInfo(nodeKey)),
    desktopOpen: (open) => data(commands.desktopOpen(open)),
    desktopCopyPassword: (forward) => done(commands.desktopCopyPassword(forward)),
    accountsCheck: (source) => done(commands.accountsCheck(source)),
    signIn: (name, method) => data(commands.signIn(name, method)),
    signInAdd: (startUrl, region, method) => data(commands.signInAdd(startUrl, region, method)),
    signInPage: (label, copy) => done(commands.signInPage(label, copy)),
    signInCancel: (label) => done(commands.signInCancel(label)),
    signOut: (name) => done(commands.signOut(name)),
    signInAccounts: (label) => data(commands.signInAccounts(label)),
    accountsUseRoles: (label, region, picks) => data(commands.accountsUseRoles(label, region, picks)),
    accountsUse: (sources, inUse) => done(commands.accountsUse(sources, inUse)),
    accountRemove: (name) => done(commands.accountRemove(name)),
    mfaAnswer: (source, code) => done(commands.mfaAnswer(source, code)),
    mfaDecline: (source) => done(commands.mfaDecline(source)),
    documentsList: (place) => data(commands.documentsList(place)),
    documentsTypes: (place, names) => data(commands.documentsTypes(place, names)),
    documentOpen: (place, name, version) => data(commands.documentOpen(place, name, version)),
    documentSave: (place, save) => data(commands.documentSave(place, save)),
    documentSetDefault: (place, name, version) => done(commands.documentSetDefault(place, name, version)),
    documentDelete: (place, name, version) => done(commands.documentDelete(place, name, version)),
    preferencesApply: (places, text) => data(commands.preferencesApply(places, text)),
    documentTemplate: (kind) => data(commands.documentTemplate(kind)),
    documentRead: (text) => data(commands.documentRead(text)),
    documentEdit: (text, edit) => data(commands.documentEdit(text, edit)),
    documentCompare: (old, next) => data(commands.documentCompare(old, next)),

    connectCheck: (request, text) => data(commands.connectCheck(request, text)),
    connectLast: (nodeKey) => data(commands.connectLast(nodeKey)),
    connectOpen: (request) => data(commands.connectOpen(request)),

    historyWatch: (on) => data(commands.historyWatch(on)),
    historyRefresh: () => done(commands.historyRefresh()),
    historyWindow: (query, offset, len) => data(commands.historyWindow(query, offset, len)),
    historyOfOwner: (owner) => data(commands.historyOfOwner(owner)),
    historyEnd: (keys) => data(commands.historyEnd(keys)),
    historyExport: (query, format) => data(commands.historyExport(query, format)),
    sessionLog: (ask) => data(commands.sessionLog(ask)),
    sessionLogSave: (key, store) => data(commands.sessionLogSave(key, store)),
    sessionLogReplay: (key, store) => data(commands.sessionLogReplay(key, store)),
    sessionEvents: (key) => data(commands.sessionEvents(key)),
    auditRead: (place) => data(commands.auditRead(place)),

    tabRecord: (tab, on) => done(commands.tabRecord(tab, on)),
    recordingsList: () => data(commands.recordingsList()),
    recordingPlay: (id) => data(commands.recordingPlay(id)),
    recordingExport: (id) => data(commands.recordingExport(id)),
    recordingDelete: (id) => done(commands.recordingDelete(id)),
    replayControl: (tab, control) => done(commands.replayControl(tab, control)),
    secretsStatus: (ask) => data(commands.secretsStatus(ask)),
    secretsKeep: (choice) => data(commands.secretsKeep(choice)),
    secretsForget: () => data(commands.secretsForget()),

    settingsApply: (settings) => data(commands.settingsApply(settings)),
    clipboardWrite: (text) => done(commands.clipboardWrite(text)),
    systemOpenUrl: (url) => done(commands.systemOpenUrl(url)),
  };
}
