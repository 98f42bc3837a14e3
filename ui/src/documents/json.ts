import type { DocumentProblemRow } from '../host/types';

/** A stretch of a line with the class that colours it. */
export interface Piece {
  text: string;
  /** `k` a name, `v` a text, `n` a number or word, empty for the rest. */
  kind: '' | 'k' | 'v' | 'n';
  /** Whether something is wrong here. */
  wrong: boolean;
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"?|-?\d[\d.eE+-]*|true|false|null/gu;

/** The coloured stretches of a line. A text is a name when a colon follows it. */
export function pieces(line: string, problems: readonly DocumentProblemRow[]): Piece[] {
  const plain: Piece[] = [];
  let at = 0;
  for (const found of line.matchAll(TOKEN)) {
    if (found.index > at) plain.push({ text: line.slice(at, found.index), kind: '', wrong: false });
    at = found.index + found[0].length;
    const named = found[0].startsWith('"') && /^\s*:/u.test(line.slice(at));
    plain.push({ text: found[0], kind: named ? 'k' : found[0].startsWith('"') ? 'v' : 'n', wrong: false });
  }
  if (at < line.length || plain.length === 0) plain.push({ text: line.slice(at), kind: '', wrong: false });
  return problems.reduce((all, problem) => mark(all, problem.column, problem.endColumn), plain);
}

/** Marks the columns of a problem, which count characters from 1. */
function mark(all: Piece[], from: number, to: number): Piece[] {
  let column = 1;
  return all.flatMap((piece) => {
    const chars = [...piece.text];
    const start = Math.max(0, from - column);
    const end = Math.min(chars.length, to - column);
    column += chars.length;
    if (start >= end) return [piece];
    const part = (a: number, b: number, wrong: boolean): Piece[] => (a < b ? [{ ...piece, text: chars.slice(a, b).join(''), wrong: wrong || piece.wrong }] : []);
    return [...part(0, start, false), ...part(start, end, true), ...part(end, chars.length, false)];
  });
}

/** UTF-16 offset of a line and column, both from 1; columns count characters. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return before + [...(lines[line - 1] ?? '')].slice(0, column - 1).join('').length;
}
