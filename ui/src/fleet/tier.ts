import type { AccountRegionRow, TierReview } from '../host/types';
import { language } from '../i18n/index.svelte';

/** What AWS charges for one advanced hybrid node and hour, in USD. */
export const USD_PER_NODE_HOUR = 0.00695;
/** Hours AWS counts in a month. */
export const HOURS_PER_MONTH = 730;

/** What the advanced tier would cost a month in USD: all hybrid nodes of the account-Region count. */
export function monthlyUsd(nodes: number): number {
  return Math.round(nodes * HOURS_PER_MONTH * USD_PER_NODE_HOUR * 100) / 100;
}

/** Account-Regions whose hybrid nodes cannot take sessions, most nodes first. */
export function standardTier(rows: readonly AccountRegionRow[]): AccountRegionRow[] {
  return rows.filter((row) => row.tier === 'standard' && row.hybrid > 0 && row.tierChange === null).sort((a, b) => b.hybrid - a.hybrid);
}

/** Account-Regions whose tier is being changed, those in trouble first. */
export function changingTier(rows: readonly AccountRegionRow[]): AccountRegionRow[] {
  const trouble = (row: AccountRegionRow) => (row.tierChange?.problem ? 0 : 1);
  return rows.filter((row) => row.tierChange !== null).sort((a, b) => trouble(a) - trouble(b));
}

/** "payments-prod · eu-central-1". */
export function placeOf(row: { accountName: string; region: string }): string {
  return `${row.accountName} · ${row.region}`;
}

/** What a change means, a sentence each. */
export function tierConsequences(review: TierReview): string[] {
  const t = language.m.tiers;
  return review.to === 'advanced'
    ? [t.willTake(review.hybridNodes), t.everyNode, t.wayBack(review.standardLimit)]
    : [t.willRefuse(review.hybridNodes), t.chargeEnds(language.usd(review.hourUsd, 5)), t.takesLong, t.limitRule(review.standardLimit)];
}
