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
} = {
  snapshot: true, event: true, node: true, window: true, completions: true, query: true, start: true, book: true, bookChange: true, exported: true,
  key: true, mouse: true, scroll: true, select: true, paste: true, search: true, forward: true, spec: true, texts: true,
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
    appHide: () => done(commands.appHide()),

    fleetRefresh: () => done(commands.fleetRefresh()),
    fleetRefreshOne: (source, region) => done(commands.fleetRefreshOne(source, region)),
    fleetCancel: () => done(commands.fleetCancel()),
    fleetBook: (change) => data(commands.fleetBook(change)),
    fleetExport: (view, form) => data(commands.fleetExport(view, form)),
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
    forwardSwitch: (id, on) => done(commands.forwardSwitch(id, on)),
    forwardBundle: (bundle, on) => done(commands.forwardBundle(bundle, on)),
    forwardsPause: (paused) => done(commands.forwardsPause(paused)),
    forwardRetry: (id) => done(commands.forwardRetry(id)),
    forwardDisconnect: (id, connection) => done(commands.forwardDisconnect(id, connection)),
    forwardDetail: (id) => data(commands.forwardDetail(id)),
    forwardTexts: (id) => data(commands.forwardTexts(id)),

    settingsApply: (settings) => data(commands.settingsApply(settings)),
    clipboardWrite: (text) => done(commands.clipboardWrite(text)),
    systemOpenUrl: (url) => done(commands.systemOpenUrl(url)),
  };
}
