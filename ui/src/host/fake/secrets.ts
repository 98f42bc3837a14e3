import type { SecretsChoice, SecretsHost, SecretsState, SecretsStatus } from '../secrets';

/** An invented keyring; `?secrets=locked` and its like show its troubles. */
export function createFakeSecrets(trouble: string | null): SecretsHost {
  let choice: SecretsChoice = { kept: 'keyring', passphraseFile: '' };
  const troubles: Record<string, SecretsState> = {
    locked: { state: 'locked' },
    hanging: { state: 'hanging' },
    absent: { state: 'absent', what: 'keyring', detail: null },
    damaged: { state: 'damaged', damage: 'key_gone' },
  };
  let state = troubles[trouble ?? ''];
  let sessions = [{ source: 'shared-core', untilMs: Date.now() + 3_000_000 }];
  const now = (): SecretsStatus => ({ choice, state: state ?? { state: 'ready', kept: choice.kept }, path: '~/.local/share/fleetline/private/secrets.sealed', sessions, recordingKey: false });
  return {
    secretsStatus: (ask) => {
      if (ask) state = undefined;
      return new Promise((resolve) => window.setTimeout(() => resolve(now()), ask ? 600 : 30));
    },
    secretsKeep: (next) => {
      choice = next;
      return Promise.resolve(now());
    },
    secretsForget: () => {
      state = undefined;
      sessions = [];
      return Promise.resolve(now());
    },
  };
}
