import type { AccountRegionRow } from '../host/types';

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
  return rows.filter((row) => row.tier === 'standard' && row.hybrid > 0).sort((a, b) => b.hybrid - a.hybrid);
}

/** "payments-prod · eu-central-1". */
export function placeOf(row: { accountName: string; region: string }): string {
  return `${row.accountName} · ${row.region}`;
}

/** The change as the AWS CLI takes it. */
export function tierCommand(row: AccountRegionRow): string {
  return [
    'aws ssm update-service-setting',
    `  --region ${row.region} --profile ${row.source}`,
    `  --setting-id arn:aws:ssm:${row.region}:${row.accountId}:servicesetting/ssm/managed-instance/activation-tier`,
    '  --setting-value advanced',
  ].join(' \\\n');
}
