import { describe, expect, it } from 'vitest';

import { changingTier, monthlyUsd, standardTier } from '../src/fleet/tier';
import type { AccountRegionRow } from '../src/host/types';
import { plural, stretches } from '../src/i18n/forms';
import { dictionaries } from '../src/i18n/dictionaries';
import { en } from '../src/i18n/en';
import { language } from '../src/i18n/index.svelte';
import { parseRegions } from '../src/start/regions';
import { spoken } from '../src/shell/speech';

/** Every message of a dictionary by its path, functions called with sample arguments. */
function messages(of: object, path = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(of)) {
    if (path === '' && (key === 'locale' || key === 'terms')) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string') all.set(at, value);
    else if (typeof value === 'function') {
      for (const count of [1, 2, 1284]) all.set(`${at}(${count})`, String((value as (...args: unknown[]) => unknown)(...sampled(value.length, count))));
    } else for (const [inner, text] of messages(value as object, at)) all.set(inner, text);
  }
  return all;
}

function sampled(arity: number, count: number): unknown[] {
  return Array.from({ length: arity }, () => count);
}

describe('dictionaries', () => {
  it.each(Object.keys(dictionaries))('%s has every message, and none is empty', (name) => {
    const own = messages(dictionaries[name] ?? {});
    for (const key of messages(en).keys()) expect(own.get(key), key).toMatch(/\S/u);
    expect(own.size).toBe(messages(en).size);
  });

  it.each(Object.keys(dictionaries).filter((name) => name !== 'en'))('%s names the same places as English', (name) => {
    const own = messages(dictionaries[name] ?? {});
    for (const [key, text] of messages(en)) {
      if (!key.endsWith('(1284)')) continue;
      const digits = (value: string) => value.replaceAll(/[.,\s\u00a0\u202f]/gu, '').includes('1284');
      expect(digits(own.get(key) ?? ''), `${key}: ${own.get(key)}`).toBe(digits(text));
    }
  });

  it.each(Object.keys(dictionaries))('%s closes its marks', (name) => {
    for (const [key, text] of messages(dictionaries[name] ?? {})) expect((text.split('**').length - 1) % 2, key).toBe(0);
  });
});

describe('messages', () => {
  it('are all used', () => {
    const sources = import.meta.glob('../src/**/*.{ts,svelte}', { eager: true, query: '?raw', import: 'default' });
    const text = Object.entries(sources).filter(([path]) => !/i18n\/(en|de|ja)\.ts$/u.test(path)).map(([, source]) => String(source)).join('\n');
    const unused = Object.keys(en).filter((key) => key !== 'locale' && key !== 'terms' && !new RegExp(`\\bm\\.${key}\\b`, 'u').test(text));
    expect(unused).toEqual([]);
  });

  it('choose the plural form of the language', () => {
    expect(plural('en', 1, { one: '# node', other: '# nodes' })).toBe('1 node');
    expect(plural('en', 1284, { one: '# node', other: '# nodes' })).toBe('1,284 nodes');
    expect(plural('de', 1284, { one: '# Knoten', other: '# Knoten' })).toBe('1.284 Knoten');
  });

  it('split at their marks', () => {
    expect(stretches('**a** b **c**')).toEqual([{ text: 'a', strong: true }, { text: ' b ', strong: false }, { text: 'c', strong: true }]);
  });
});

describe('the tier', () => {
  const row = (hybrid: number, tier: AccountRegionRow['tier']): AccountRegionRow => ({
    source: 'plants', accountId: '444455556666', accountName: 'plants-eu', region: 'eu-central-1', state: 'loaded', nodes: hybrid, hybrid, tier, tierChange: null, problem: null, updatedMs: null,
  });

  it('costs USD 55.81 a month for 11 nodes', () => {
    expect(monthlyUsd(11)).toBe(55.81);
  });

  it('is told only for account-Regions with hybrid nodes on Standard, most nodes first', () => {
    expect(standardTier([row(0, 'standard'), row(3, 'standard'), row(9, 'advanced'), row(11, 'standard'), row(2, 'unknown')]).map((one) => one.hybrid)).toEqual([11, 3]);
  });

  it('is not asked for where it is being changed, and trouble is told first', () => {
    const changing = (problem: boolean): AccountRegionRow => ({
      ...row(4, 'standard'), tierChange: { to: 'advanced', sinceMs: 0, problem: problem ? { code: 'network_unreachable', message: 'no', hint: null, detail: null, requestId: null } : null },
    });
    const rows = [row(1, 'standard'), changing(false), changing(true)];
    expect(standardTier(rows).map((one) => one.hybrid)).toEqual([1]);
    expect(changingTier(rows).map((one) => one.tierChange?.problem !== null)).toEqual([true, false]);
  });
});

describe('parseRegions', () => {
  it('takes several, once each', () => {
    expect(parseRegions(' eu-central-1, US-EAST-1 eu-central-1;us-gov-west-1')).toEqual({ regions: ['eu-central-1', 'us-east-1', 'us-gov-west-1'] });
    expect(parseRegions('')).toEqual({ regions: [] });
  });

  it('names the first word that is none', () => {
    expect(parseRegions('eu-central-1 frankfurt')).toEqual({ wrong: 'frankfurt' });
  });
});

describe('spoken', () => {
  it('is what was added below, also when the screen scrolled', () => {
    expect(spoken(['$ ls', ''], ['$ ls', 'a', 'b'])).toEqual({ lines: ['a', 'b'], more: 0 });
    expect(spoken(['1', '2', '3'], ['2', '3', '4'])).toEqual({ lines: ['4'], more: 0 });
    expect(spoken(['$ l'], ['$ ls'])).toEqual({ lines: ['s'], more: 0 });
  });

  it('is bounded, and says how much was left out', () => {
    const flood = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    expect(spoken([], flood)).toEqual({ lines: flood.slice(0, 5), more: 35 });
  });

  it('is nothing when nothing changed', () => {
    expect(spoken(['a', 'b'], ['a', 'b'])).toEqual({ lines: [], more: 0 });
  });
});

describe('times', () => {
  it('are told in seconds below a minute, then in two units', () => {
    const told = [0, 999, 40_400, 59_999, 60_000, 3_599_999, 18_720_000, 90_000_000].map((ms) => language.duration(ms));
    expect(told).toEqual(['0 s', '0 s', '40 s', '59 s', '1 min', '59 min', '5 h 12 min', '1 d 1 h']);
  });
});
