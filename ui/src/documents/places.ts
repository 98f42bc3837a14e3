import type { AccountRegionRow, DocumentPlace } from '../host/types';

/** The document that holds the session preferences of an account-Region. */
export const PREFERENCES = 'SSM-SessionManagerRunShell';

/** Documents live where the fleet is listed; a Region that may not be listed may still hold them. */
export function firstPlace(rows: AccountRegionRow[]): DocumentPlace | null {
  const row = rows.find((one) => one.state === 'loaded') ?? rows.find((one) => one.state !== 'failed');
  return row ? { source: row.source, region: row.region } : null;
}

/** How a place is called: the account's name and the Region. */
export function placeName(rows: AccountRegionRow[], place: DocumentPlace): string {
  const row = rows.find((one) => one.source === place.source && one.region === place.region);
  return `${row?.accountName ?? place.source} · ${place.region}`;
}
