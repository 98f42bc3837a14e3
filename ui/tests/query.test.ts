import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { join, offsets, quoted, split, tokenize, typed, withChip } from '../src/fleet/query';

describe('tokenize', () => {
  it('tells chips, negation, tags and free text apart', () => {
    const tokens = tokenize('tag:env=prod platform:windows -ping:lost pay -old');
    expect(tokens.map(({ chip, negated, key, value }) => [chip, negated, key, value])).toEqual([
      [true, false, 'tag:env=', 'prod'],
      [true, false, 'platform:', 'windows'],
      [true, true, 'ping:', 'lost'],
      [false, false, '', 'pay'],
      [false, true, '', 'old'],
    ]);
  });

  it('keeps quoted spaces together', () => {
    expect(tokenize('tag:team="a b" x').map((token) => token.text)).toEqual(['tag:team="a b"', 'x']);
    expect(tokenize('"two \\" words" x').map((token) => token.text)).toEqual(['"two \\" words"', 'x']);
  });

  it('does not take addresses or lone signs for keys', () => {
    expect(tokenize('10.2.3.4 - 5:3').map((token) => token.chip)).toEqual([false, false, false]);
  });

  it('gives tokens whose offsets are their text, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...' \t"\\-:=,aZ9é東', '\u{1f600}', 'tag:', 'OR') }), (text) => {
        let end = 0;
        for (const token of tokenize(text)) {
          expect(text.slice(token.start, token.end)).toBe(token.text);
          expect(token.start).toBeGreaterThanOrEqual(end);
          expect(token.end).toBeGreaterThan(token.start);
          end = token.end;
        }
      }),
    );
  });
});

describe('the box', () => {
  it('makes a chip when a space follows', () => {
    expect(split('platform:windows', false)).toEqual({ chips: [], tail: 'platform:windows' });
    expect(split('platform:windows ', false)).toEqual({ chips: ['platform:windows'], tail: '' });
    expect(split('platform:windows', true)).toEqual({ chips: ['platform:windows'], tail: '' });
  });

  it('keeps a key without a value as text', () => {
    expect(split('ping: ', true)).toEqual({ chips: [], tail: 'ping:' });
  });

  it('takes a pasted query apart', () => {
    expect(split('pay tag:env=prod win -ping:lost', true)).toEqual({ chips: ['tag:env=prod', '-ping:lost'], tail: 'pay win' });
  });

  it('leaves alternatives alone, because their order matters', () => {
    expect(split('name:a x OR name:b', true)).toEqual({ chips: [], tail: 'name:a x OR name:b' });
    expect(withChip('name:a OR name:b', 'region:x')).toBe('region:x');
  });

  it('joins back to the query, with known places', () => {
    const content = { chips: ['a:1', '-b:2'], tail: 'free text ' };
    expect(join(content)).toBe('a:1 -b:2 free text');
    const places = offsets(content);
    expect(places.chips).toEqual([{ start: 0, end: 3 }, { start: 4, end: 8 }]);
    expect(join(content).slice(places.tail)).toBe('free text');
  });

  it('asks for completions where the caret is', () => {
    expect(typed({ chips: ['a:1'], tail: 'pla' }, 3)).toEqual({ text: 'a:1 pla', cursor: 7 });
    expect(typed({ chips: [], tail: 'x ' }, 2)).toEqual({ text: 'x ', cursor: 2 });
  });
});

describe('chips added from elsewhere', () => {
  it('are added once', () => {
    expect(withChip('pay', 'region:eu-west-1')).toBe('region:eu-west-1 pay');
    expect(withChip('region:eu-west-1 pay', 'region:eu-west-1')).toBe('region:eu-west-1 pay');
  });

  it('are quoted where characters have a meaning', () => {
    expect(quoted('prod')).toBe('prod');
    expect(quoted('two words')).toBe('"two words"');
    expect(quoted('a"b')).toBe('"a\\"b"');
    expect(quoted('-x')).toBe('"-x"');
    expect(quoted('OR')).toBe('"OR"');
  });
});
