/** Where secrets of ours are kept, as the interface sees it; see `types.ts`. */

export type SecretsKept = 'keyring' | 'passphrase' | 'memory';
export type SecretsAbsence =
  | 'keyring' | 'collection' | 'consent' | 'passphrase_file' | 'passphrase_readable' | 'passphrase_private' | 'passphrase_fit';
export type SecretsDamage = 'form' | 'key_gone' | 'does_not_open';
export type SecretsState =
  | { state: 'ready'; kept: SecretsKept }
  | { state: 'locked' }
  | { state: 'absent'; what: SecretsAbsence; detail: string | null }
  | { state: 'hanging' }
  | { state: 'damaged'; damage: SecretsDamage }
  | { state: 'unusable'; detail: string };
export interface KeptSession { source: string; untilMs: number | null }
export interface SecretsChoice {
  kept: SecretsKept;
  /** Empty: none. */
  passphraseFile: string;
}
export interface SecretsStatus { choice: SecretsChoice; state: SecretsState; path: string | null; sessions: KeptSession[]; recordingKey: boolean }

export interface SecretsHost {
  /** With `ask` the keyring may ask a person to unlock it: two minutes at most, else five seconds. */
  secretsStatus(ask: boolean): Promise<SecretsStatus>;
  secretsKeep(choice: SecretsChoice): Promise<SecretsStatus>;
  secretsForget(): Promise<SecretsStatus>;
}
