import { chordOf, commandFor, type Command } from '../lib/keymap';
import { checkAgain } from '../access/denied';
import { canRecord, toggleRecording } from '../recordings/actions';
import { newForward } from '../forwards/actions';
import type { Application } from '../state/app.svelte';
import { DOCUMENTS_TAB, FLEET_TAB, FORWARDS_TAB, HISTORY_TAB } from '../state/tabs.svelte';
import { SECTIONS } from './pages';

/** Commands only the terminal in front can carry out. */
export type TerminalCommand =
  | 'copy' | 'paste' | 'find' | 'next_hit' | 'previous_hit' | 'page_up' | 'page_down' | 'scroll_top' | 'scroll_end'
  | 'leave_terminal';

/** What the shell in front registers while it is mounted. */
export interface TerminalTarget {
  readonly finding: boolean;
  run(command: TerminalCommand): void;
  focus(): void;
}

/** The parts of a page with a terminal in it; `undefined` while it is not shown. */
export interface TerminalParts {
  terminal: { copy(): void; paste(): void; scroll(to: 'page_up' | 'page_down' | 'scroll_top' | 'scroll_end'): void } | undefined;
  bar: { step(forward: boolean): void } | undefined;
  /** Opens the search, or goes to it. */
  find(): void;
}

/** Carries out a terminal's chord on a page's parts. */
export function runInTerminal(parts: TerminalParts, command: TerminalCommand): void {
  switch (command) {
    case 'copy': parts.terminal?.copy(); break;
    case 'paste': parts.terminal?.paste(); break;
    case 'find': parts.find(); break;
    case 'next_hit': parts.bar?.step(true); break;
    case 'previous_hit': parts.bar?.step(false); break;
    case 'leave_terminal': document.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus(); break;
    default: parts.terminal?.scroll(command);
  }
}

let front: TerminalTarget | null = null;

export function setTerminalTarget(target: TerminalTarget | null): void {
  front = target;
}

export function terminalTarget(): TerminalTarget | null {
  return front;
}

const REGIONS = ['title', 'rail', 'query', 'table', 'inspector', 'terminal', 'status'];

/** Whether an element takes typed characters itself. */
function takesText(element: Element | null): boolean {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement;
}

/** Chords a web view would use for itself: reload, print, find, caret browsing. */
function isWebViewChord(event: KeyboardEvent): boolean {
  if (event.key === 'F3' || event.key === 'F7') return true;
  return (event.ctrlKey || event.metaKey) && !event.altKey && ['KeyR', 'KeyP', 'KeyG', 'KeyS', 'KeyU', 'KeyJ'].includes(event.code);
}

/** Carries out window chords; everything else stays with what has focus. */
export function handleKey(app: Application, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || app.phase !== 'ready') return;
  const focused = document.activeElement;
  const terminal = focused?.closest('[data-terminal-input]') !== null && focused !== null;
  const command = commandFor(chordOf(event), {
    terminal,
    typing: takesText(focused),
    finding: front?.finding ?? false,
    platform: app.platform,
  });
  if (!command) {
    if (!terminal && isWebViewChord(event)) event.preventDefault();
    return;
  }
  // While a question is open only the palette chord may replace it.
  if (app.chrome.overlay !== null && command.do !== 'palette') {
    if (command.do === 'refresh') event.preventDefault();
    return;
  }
  if (run(app, command)) {
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Does it, if this page can; false leaves the key alone. */
function run(app: Application, command: Command): boolean {
  const { chrome, tabs, fleet, settings } = app;
  const started = app.mode.kind !== 'first_run';
  switch (command.do) {
    case 'zoom_in': settings.zoom(1); return true;
    case 'zoom_out': settings.zoom(-1); return true;
    case 'zoom_reset': settings.zoom(0); return true;
    case 'quit': requestQuit(app); return true;
    case 'shortcuts': chrome.open({ kind: 'shortcuts' }); return true;
    case 'next_region': cycleRegion(1); return true;
    case 'previous_region': cycleRegion(-1); return true;
  }
  if (!started) return command.do === 'refresh' || command.do === 'query';
  switch (command.do) {
    case 'palette':
      if (chrome.overlay?.kind === 'palette') chrome.close();
      else chrome.open({ kind: 'palette', text: '' });
      return true;
    case 'new_forward': newForward(app); return true;
    case 'query':
      if (tabs.active === FORWARDS_TAB) {
        document.getElementById('forward-filter')?.focus();
        return true;
      }
      if (tabs.active === HISTORY_TAB) {
        document.getElementById('history-filter')?.focus();
        return true;
      }
      if (tabs.active === DOCUMENTS_TAB) {
        app.documents.search();
        return true;
      }
      if (tabs.active !== FLEET_TAB) return tabs.activeShell === null && command.do === 'query';
      document.getElementById('query-input')?.focus();
      return true;
    case 'next_tab': tabs.step(1); return true;
    case 'previous_tab': tabs.step(-1); return true;
    case 'close_tab': tabs.requestClose(tabs.active); return true;
    case 'tab': {
      const id = tabs.order[command.index - 1];
      if (id !== undefined) tabs.activate(id);
      return true;
    }
    case 'section': {
      const section = SECTIONS[command.index - 1];
      if (section === undefined) return false;
      tabs.activate(section);
      return true;
    }
    case 'refresh': {
      const shell = tabs.activeShell;
      if (shell?.session?.denied) checkAgain(app, shell);
      else if (chrome.reload !== null) chrome.reload();
      else fleet.refresh();
      return true;
    }
    case 'record': {
      const shell = tabs.activeShell;
      if (!canRecord(shell)) return false;
      void toggleRecording(app, shell);
      return true;
    }
    case 'inspector': void settings.apply({ inspectorOpen: !settings.current.inspectorOpen }); return true;
    case 'rail': void settings.apply({ railMini: !settings.current.railMini }); return true;
    default:
      if (!front) return false;
      front.run(command.do);
      return true;
  }
}

/** Quits when nothing runs; else the host tells what would end, and the window asks. */
export function requestQuit(app: Application): void {
  void app.chrome.run(app.host.appClose());
}

/** Focus to the next region that is on screen, in reading order. */
function cycleRegion(by: 1 | -1): void {
  const present = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((one) => one !== null);
  const at = present.findIndex((one) => one.contains(document.activeElement));
  for (let step = 1; step <= present.length; step += 1) {
    const region = present[(at + by * step + present.length * 2) % present.length];
    const target = region?.matches('[tabindex]')
      ? region
      : region?.querySelector<HTMLElement>('[data-terminal-input], input, [tabindex="0"], button:not([tabindex="-1"])');
    if (target) {
      target.focus();
      return;
    }
  }
}
