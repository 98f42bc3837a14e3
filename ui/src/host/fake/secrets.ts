import type { SecretsHost, SecretsState, SecretsStatus } from '../secrets';

/** An invented keyring; `?secrets=locked` and its like show its troubles. */
export function createFakeSecrets(trouble: string | null, kept: () => 'keyring' | 'passphrase' | 'memory'): SecretsHost {
  const troubles: Record<string, SecretsState> = {
    locked: { state: 'locked' },
    hanging: { state: 'hanging' },
    absent: { state: 'absent', what: 'keyring', detail: null },
    damaged: { state: 'damaged', damage: 'key_gone' },
  };
  let state = troubles[trouble ?? ''];
  let sessions = [{ source: 'shared-core', untilMs: Date.now() + 3_000_000 }];
  const now = (): SecretsStatus => ({ state: state ?? { state: 'ready', kept: kept() }, path: '~/.local/share/fleetline/private/secrets.sealed', sessions, recordingKey: false });
  return {
    secretsStatus: (ask) => {
      if (ask) state = undefined;
      return new Promise((resolve) => window.setTimeout(() => resolve(now()), ask ? 600 : 30));
    },
    secretsForget: () => {
      state = undefined;
      sessions = [];
      return Promise.resolve(now());
    },
  };
}
