import type { ForwardEventLevel, ForwardKind, ForwardRow, ForwardState } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { GlyphName, IconName } from '../parts/glyphs';

export const KIND_ICON: Record<ForwardKind, IconName> = { port: 'port', remote_host: 'host', rdp: 'rdp', socks: 'socks' };

export const LEVEL_GLYPH: Record<ForwardEventLevel, GlyphName> = { good: 'done', neutral: 'idle', warn: 'warn', bad: 'fail' };

/** The silhouette of each state. */
export function forwardGlyph(state: ForwardState): GlyphName {
  switch (state.state) {
    case 'off': return 'off';
    case 'paused': return 'wait';
    case 'idle': return 'idle';
    case 'starting': return 'check';
    case 'active': return 'ready';
    case 'reconnecting': return state.awaitsRetry ? 'lost' : 're';
    case 'failed': return 'fail';
    case 'exposes':
    case 'port_in_use': return 'warn';
  }
}

/** The state in words, as it stands in the row; `now` counts retries down. */
export function stateWords(row: ForwardRow, now: number): { words: string; note: string } {
  const m = language.m;
  const { state } = row;
  switch (state.state) {
    case 'off': return { words: m.fwd.off, note: '' };
    case 'paused': return { words: m.fwd.paused, note: '' };
    case 'idle': return { words: m.fwd.idle, note: row.spec.start === 'on_demand' ? m.fwd.onFirstConnection : '' };
    case 'starting': return { words: m.fwd.starting, note: '' };
    case 'active': return { words: m.fwd.active(row.connections), note: '' };
    case 'reconnecting': return { words: state.awaitsRetry ? m.fwd.needsSignIn : m.fwd.reconnecting, note: '' };
    case 'failed': {
      const left = state.nextTryMs === null ? 0 : state.nextTryMs - now;
      return { words: m.fwd.failed, note: left > 0 ? m.fwd.nextTry(language.age(left)) : '' };
    }
    case 'exposes': return { words: m.fwd.exposes, note: '' };
    case 'port_in_use': return { words: m.fwd.portInUse, note: '' };
  }
}

/** How many rows are in each kind of state, as the toolbar and the bundles count them. */
export function tally(rows: ForwardRow[]): { glyph: GlyphName; count: number; word: string }[] {
  const m = language.m;
  const of = (...states: ForwardState['state'][]) => rows.filter((row) => states.includes(row.state.state)).length;
  const all: { glyph: GlyphName; count: number; word: string }[] = [
    { glyph: 'ready', count: of('active'), word: m.fwd.tally.active },
    { glyph: 're', count: of('reconnecting', 'starting'), word: m.fwd.tally.reconnecting },
    { glyph: 'fail', count: of('failed'), word: m.fwd.tally.failed },
    { glyph: 'warn', count: of('exposes'), word: m.fwd.tally.exposes },
    { glyph: 'warn', count: of('port_in_use'), word: m.fwd.tally.conflict },
    { glyph: 'idle', count: of('idle'), word: m.fwd.tally.idle },
    { glyph: 'wait', count: of('paused'), word: m.fwd.tally.paused },
    { glyph: 'off', count: of('off'), word: m.fwd.tally.off },
  ];
  return all.filter((one) => one.count > 0);
}

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units with at most two digits that matter: "4.8 MB". */
export function bytes(value: number): string {
  let step = 0;
  let left = Math.max(0, value);
  while (left >= 999.5 && step < STEPS.length - 1) {
    left /= 1000;
    step += 1;
  }
  const digits = step > 0 && left < 9.95 ? 1 : 0;
  const text = new Intl.NumberFormat(language.m.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(left);
  return `${text} ${STEPS[step]}`;
}

export function rate(perSecond: number): string {
  return `${bytes(perSecond)}/s`;
}

/** A local address without the loopback's zoo: what one would type. */
export function splitPort(address: string): { host: string; port: string } {
  const at = address.lastIndexOf(':');
  return at < 0 || address.startsWith('/') ? { host: address, port: '' } : { host: address.slice(0, at), port: address.slice(at) };
}
