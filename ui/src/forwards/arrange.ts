import type { Arrangement } from '../host/types';
import type { Bundle } from '../state/forwards.svelte';

/** What moves a forward one place up (-1) or down (1), over the edge of its bundle into the next; null where it ends. */
export function moveForward(bundles: Bundle[], id: string, by: 1 | -1): Arrangement | null {
  const at = bundles.findIndex((bundle) => bundle.rows.some((row) => row.id === id));
  const bundle = bundles[at];
  if (!bundle) return null;
  const place = bundle.rows.findIndex((row) => row.id === id);
  if (by === -1) {
    const above = bundle.rows[place - 1];
    if (above) return { kind: 'place', id, bundle: bundle.name, before: above.id };
    const before = bundles[at - 1];
    return before ? { kind: 'place', id, bundle: before.name, before: null } : null;
  }
  if (place < bundle.rows.length - 1) return { kind: 'place', id, bundle: bundle.name, before: bundle.rows[place + 2]?.id ?? null };
  const after = bundles[at + 1];
  if (after) return { kind: 'place', id, bundle: after.name, before: after.rows[0]?.id ?? null };
  return bundle.name === null ? null : { kind: 'place', id, bundle: null, before: null };
}

/** What moves a bundle one place up or down; what is in no bundle stays last. */
export function moveBundle(bundles: Bundle[], name: string, by: 1 | -1): Arrangement | null {
  const names = bundles.map((bundle) => bundle.name).filter((one) => one !== null);
  const at = names.indexOf(name);
  if (at < 0 || (by === -1 && at === 0) || (by === 1 && at === names.length - 1)) return null;
  return { kind: 'place_bundle', bundle: name, before: names[by === -1 ? at - 1 : at + 2] ?? null };
}

/** What puts a forward that is dragged onto another one above or below that. */
export function dropForward(bundles: Bundle[], id: string, onto: string, below: boolean): Arrangement | null {
  const bundle = bundles.find((one) => one.rows.some((row) => row.id === onto));
  if (!bundle || id === onto) return null;
  const at = bundle.rows.findIndex((row) => row.id === onto);
  const before = below ? bundle.rows[at + 1]?.id : onto;
  return before === id ? null : { kind: 'place', id, bundle: bundle.name, before: before ?? null };
}
