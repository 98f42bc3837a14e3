import type { AppEvent, Change } from '../host/types';

/** What a change replaces: changes with the same subject supersede each other. */
export function subjectOf(change: Change): string {
  if (change.kind === 'tab') return `tab ${change.tab.id}`;
  if (change.kind === 'view') return `view ${change.view.view}`;
  if (change.kind === 'forward') return `forward ${change.row.id}`;
  return change.kind;
}

/**
 * Lets each subject's newest state through and nothing older.
 *
 * Events are listened to before the snapshot is asked for; those that arrive in between are held, and
 * after the snapshot only what is newer than it passes.
 */
export class EventGate {
  #floor: number | null = null;
  #held: AppEvent[] = [];
  #seen = new Map<string, number>();

  /** The events that may be applied now, in order. */
  receive(event: AppEvent): AppEvent[] {
    if (this.#floor === null) {
      this.#held.push(event);
      return [];
    }
    const subject = subjectOf(event.change);
    if (event.version <= Math.max(this.#floor, this.#seen.get(subject) ?? 0)) return [];
    this.#seen.set(subject, event.version);
    return [event];
  }

  /** A snapshot that includes everything up to `version` was taken; returns what was held and is newer. */
  open(version: number): AppEvent[] {
    this.#floor = version;
    this.#seen.clear();
    const held = this.#held.sort((a, b) => a.version - b.version);
    this.#held = [];
    return held.flatMap((event) => this.receive(event));
  }

  /** Holds events again until the next snapshot. */
  close(): void {
    this.#floor = null;
  }
}
