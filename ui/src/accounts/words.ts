import type { AccountRow, AccountState, Ending, MfaAsk } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { GlyphName } from '../parts/glyphs';

/** Credentials this close to their end need attention. */
const SOON_MS = 15 * 60_000;
/** A full bar: the longest life a sign-in usually has. */
const FULL_MS = 8 * 3_600_000;

/** Whether a source, or one its role is taken through, waits for a code now. */
export function waitsForCode(row: AccountRow, asks: MfaAsk[]): boolean {
  return asks.some((ask) => ask.source === row.source || row.through.includes(ask.source));
}

function endsSoon(ending: Ending, now: number): boolean {
  return ending.ends === 'at' && !ending.renews && ending.ms - now < SOON_MS;
}

/** Silhouette of a state. */
export function stateGlyph(state: AccountState, now: number, waiting: boolean): GlyphName {
  switch (state.state) {
    case 'ready': return endsSoon(state.ending, now) || state.ending.ends === 'never' ? 'warn' : 'ready';
    case 'needs_sign_in': return 'idle';
    case 'over': return 'lost';
    case 'needs_code': return waiting ? 'check' : 'idle';
    case 'not_checked': return 'idle';
    case 'checking': return 'check';
    case 'failed': return 'fail';
  }
}

/** Its word. */
export function stateWord(state: AccountState, waiting: boolean): string {
  const m = language.m.acc;
  return state.state === 'needs_code' && waiting ? m.waitsForCode : m.state[state.state];
}

/** What stands in the column of ends: words, tone, and how full the bar is (`null` draws none). */
export interface Expiry {
  words: string;
  tone: '' | 'warn' | 'bad' | 't3';
  bar: number | null;
  title: string;
}

/** When a source ends, for the table. */
export function expiryOf(state: AccountState, now: number): Expiry {
  const m = language.m.acc;
  const said = (words: string, tone: Expiry['tone'] = 't3', bar: number | null = null, title = ''): Expiry => ({ words, tone, bar, title });
  switch (state.state) {
    case 'needs_sign_in': return said(m.expires.signIn);
    case 'over': return said(m.expires.overSince(language.age(now - state.sinceMs)), 'bad', 0);
    case 'needs_code': return said(m.expires.code, '', 0);
    case 'not_checked': return said(m.expires.notChecked);
    case 'checking': return said(m.expires.checking);
    case 'failed': return said(m.expires.failed, 'bad', null, state.problem.message);
    case 'ready': break;
  }
  const { ending } = state;
  if (ending.ends === 'never') return said(m.expires.never, 'warn');
  if (ending.ends === 'unknown') return said(m.expires.unknown);
  const left = ending.ms - now;
  if (ending.renews && left < SOON_MS) return said(m.expires.renews, '', 1);
  if (left <= 0) return said(m.expires.overSince(language.age(-left)), 'bad', 0);
  return said(language.duration(left), endsSoon(ending, now) ? 'warn' : '', Math.min(1, left / FULL_MS), ending.renews ? m.expires.renews : '');
}

/** How a source gets its credentials, in a line. */
export function howOf(row: AccountRow): string {
  const m = language.m.acc;
  const base =
    row.kind === 'identity_center' ? m.how.identity_center(row.signIn ?? '')
    : row.kind === 'role' ? (row.through[0] === undefined || row.through[0] === row.source ? m.how.role_here : m.how.role(row.through[0]))
    : m.how[row.kind];
  return row.mfaSerial === null ? base : m.how.mfa(base);
}

/** A life as people say it: whole hours without minutes. */
export function lifeOf(seconds: number): string {
  return seconds % 3600 === 0 ? language.m.hours(seconds / 3600) : language.duration(seconds * 1000);
}

/** Six digits out of whatever was typed or pasted. */
export function digitsOf(text: string): string {
  return text.replace(/\D/gu, '').slice(0, 6);
}
