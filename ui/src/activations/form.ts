import type { ActivationSpec, Tag } from '../host/types';

/** What the fields hold, as typed. */
export interface Draft {
  /** "source/region". */
  place: string;
  role: string;
  limit: string;
  hours: string;
  name: string;
  description: string;
  tags: string;
}

export type Field = 'role' | 'limit' | 'hours' | 'tags' | 'place';

export function emptyDraft(place: string): Draft {
  return { place, role: '', limit: '1', hours: '24', name: '', description: '', tags: '' };
}

function whole(text: string, most: number): boolean {
  return /^\d{1,4}$/u.test(text.trim()) && Number(text) >= 1 && Number(text) <= most;
}

/** "key=value, other=value" as tags; null where a part is none. */
export function tagsOf(text: string): Tag[] | null {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  const tags = parts.map((part): Tag | null => {
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    return at > 0 && key.length <= 128 && part.length - at - 1 <= 256 ? { key, value: part.slice(at + 1).trim() } : null;
  });
  return tags.length <= 50 && tags.every((tag) => tag !== null) ? tags : null;
}

/** Fields outside the limits of the service. */
export function wrongFields(draft: Draft): Set<Field> {
  const wrong = new Set<Field>();
  if (draft.place === '') wrong.add('place');
  if (!/^[^/:\s]{1,64}$/u.test(draft.role.trim())) wrong.add('role');
  if (!whole(draft.limit, 1000)) wrong.add('limit');
  if (!whole(draft.hours, 720)) wrong.add('hours');
  if (tagsOf(draft.tags) === null) wrong.add('tags');
  return wrong;
}

export function specOf(draft: Draft): ActivationSpec {
  const at = draft.place.lastIndexOf('/');
  return {
    source: draft.place.slice(0, at), region: draft.place.slice(at + 1), role: draft.role.trim(),
    limit: Number(draft.limit), hours: Number(draft.hours), name: draft.name.trim(), description: draft.description.trim(), tags: tagsOf(draft.tags) ?? [],
  };
}
