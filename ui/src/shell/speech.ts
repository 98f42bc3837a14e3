/** Most lines spoken for one update; four updates a second make at most 20 lines a second. */
const SPOKEN = 5;

/** The lines of `next` that are new below what `before` showed; scrolling by whole lines is recognised. */
export function spoken(before: readonly string[], next: readonly string[]): { lines: string[]; more: number } {
  const old = trimmed(before);
  const now = trimmed(next);
  let fresh = now;
  for (let shift = 0; shift <= old.length; shift += 1) {
    const kept = old.slice(shift);
    const whole = kept.slice(0, -1);
    const last = kept.at(-1) ?? '';
    if (kept.length > now.length || !whole.every((line, i) => line === now[i])) continue;
    const same = now[kept.length - 1] ?? '';
    if (kept.length === 0) break;
    if (!same.startsWith(last)) continue;
    const added = same.slice(last.length).trim();
    fresh = [...(added === '' ? [] : [added]), ...now.slice(kept.length)];
    break;
  }
  const lines = fresh.filter((line) => line.trim() !== '');
  return { lines: lines.slice(0, SPOKEN), more: Math.max(0, lines.length - SPOKEN) };
}

function trimmed(lines: readonly string[]): string[] {
  const end = lines.findLastIndex((line) => line !== '');
  return lines.slice(0, end + 1);
}
