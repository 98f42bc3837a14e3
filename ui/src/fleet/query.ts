/** A piece of a query as the box shows it; offsets are UTF-16 code units, as in `QueryIssue`. */
export interface Token {
  start: number;
  end: number;
  text: string;
  /** `key:value` or `tag:key=value`; everything else is free text. */
  chip: boolean;
  negated: boolean;
  /** With its colon (and, for tags, the tag's name and `=`): what is set in accent. */
  key: string;
  value: string;
}

const KEY = /^(-?)([A-Za-z][A-Za-z0-9_-]*:)(.*)$/s;

/** Where a token that begins at `from` ends; spaces inside double quotes do not end it. */
function tokenEnd(text: string, from: number): number {
  let quoted = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const c = text[at];
    if (quoted && c === '\\') at += 1;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && /\s/u.test(c ?? '')) break;
  }
  return Math.min(at, text.length);
}

function tokenOf(text: string, start: number, end: number): Token {
  const raw = text.slice(start, end);
  const parts = KEY.exec(raw);
  if (!parts) {
    const negated = raw.length > 1 && raw.startsWith('-');
    return { start, end, text: raw, chip: false, negated, key: '', value: negated ? raw.slice(1) : raw };
  }
  const [, minus, key = '', rest = ''] = parts;
  const equals = key.toLowerCase() === 'tag:' ? rest.indexOf('=') : -1;
  return {
    start,
    end,
    text: raw,
    chip: true,
    negated: minus === '-',
    key: equals < 0 ? key : key + rest.slice(0, equals + 1),
    value: equals < 0 ? rest : rest.slice(equals + 1),
  };
}

/** Splits a query at its unquoted spaces. Any text gives tokens; soundness is the host's to judge. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/u.test(text[at] ?? '')) {
      at += 1;
      continue;
    }
    const end = tokenEnd(text, at);
    tokens.push(tokenOf(text, at, end));
    at = end;
  }
  return tokens;
}

/** The box: finished chips, then the text still being typed. */
export interface BoxContent {
  chips: string[];
  tail: string;
}

/** Whether a chip has something to say: `ping:` alone is still being typed. */
function finished(token: Token): boolean {
  return token.chip && token.value !== '';
}

/** Whether alternatives stand in the text: then the order of words matters and nothing may be moved. */
export function hasAlternatives(text: string): boolean {
  return tokenize(text).some((token) => token.text === 'OR');
}

/** Takes a whole query apart. With `all`, a finished chip at the very end is taken too. */
export function split(text: string, all: boolean): BoxContent {
  if (hasAlternatives(text)) return { chips: [], tail: text };
  const tokens = tokenize(text);
  const chips: string[] = [];
  const rest: string[] = [];
  tokens.forEach((token, i) => {
    const last = i === tokens.length - 1;
    const typing = last && !all && token.end === text.length;
    if (finished(token) && !typing) chips.push(token.text);
    else rest.push(token.text);
  });
  const trailing = !all && rest.length > 0 && /\s$/u.test(text) ? ' ' : '';
  return { chips, tail: rest.join(' ') + trailing };
}

/** The query text a box stands for. */
export function join({ chips, tail }: BoxContent): string {
  return [...chips, tail.trim()].filter((part) => part !== '').join(' ');
}

/** The box as it is being typed, spaces kept, for completions at `caret` units into the tail. */
export function typed({ chips, tail }: BoxContent, caret: number): { text: string; cursor: number } {
  const before = chips.map((chip) => `${chip} `).join('');
  return { text: before + tail, cursor: before.length + Math.min(caret, tail.length) };
}

/** Where each chip and the tail stand in the joined text. */
export function offsets({ chips, tail }: BoxContent): { chips: { start: number; end: number }[]; tail: number } {
  let at = 0;
  const places = chips.map((chip) => {
    const place = { start: at, end: at + chip.length };
    at = place.end + 1;
    return place;
  });
  return { chips: places, tail: tail.trim() === '' ? Math.max(0, at - 1) : at };
}

/** A value as it must be written after a key: quoted where its characters would mean something. */
export function quoted(value: string): string {
  return value === '' || value === 'OR' || /^[-<>=]|[\s",=:*\\]/u.test(value) ? `"${value.replaceAll(/["\\]/gu, '\\$&')}"` : value;
}

/** The query with a chip added, unless it is there already; a query of alternatives is replaced. */
export function withChip(text: string, chip: string): string {
  if (hasAlternatives(text)) return chip;
  const { chips, tail } = split(text, true);
  return join({ chips: chips.includes(chip) ? chips : [...chips, chip], tail });
}
