import { plural } from '../forms';

const loc = 'en';

/** The words for where secrets are kept. */
export const secrets = {
  section: 'Secrets',
  keep: 'Keep secrets sealed by',
  keepHint: 'Sessions that an MFA code opened, and the key of recordings. Never your AWS keys.',
  kept: { keyring: 'Keyring', passphrase: 'Passphrase file', memory: 'Nothing' },
  file: 'Passphrase file',
  fileHint: 'Its full path. Readable by you alone, with 8 characters or more.',
  looking: 'Asking the keyring…',
  ready: {
    keyring: 'Sealed on disk with a key in the keyring of this system.',
    passphrase: 'Sealed on disk with a key made of your passphrase.',
    memory: 'Kept in memory only; they end with Fleetline.',
  },
  held: (sessions: number) => plural(loc, sessions, { one: '# MFA session is kept.', other: '# MFA sessions are kept.' }),
  until: 'In memory only until this is mended.',
  locked: 'The keyring is locked.',
  hanging: 'The keyring has not answered for 5 seconds.',
  hangingHint: 'Restart it, or choose a passphrase file.',
  absent: {
    keyring: 'There is no keyring in this session.',
    collection: 'The keyring holds no collection yet.',
    consent: 'The keyring refused.',
    passphrase_file: 'No passphrase file is named.',
    passphrase_readable: 'The passphrase file cannot be read.',
    passphrase_private: 'Others can read the passphrase file.',
    passphrase_fit: 'The passphrase is too short or too long.',
  },
  absentHint: {
    keyring: 'Start one, or choose a passphrase file.',
    collection: 'Make a default keyring in the password program of your desktop, or choose a passphrase file.',
    consent: 'Try again, or choose a passphrase file.',
    passphrase_file: 'Name one below.',
    passphrase_readable: 'Make it, or name another one.',
    passphrase_private: 'Make it private: chmod 600.',
    passphrase_fit: 'It has 8 to 1024 characters.',
  },
  damaged: {
    form: 'The file of secrets is damaged or of another version.',
    key_gone: 'The keyring has lost the key of the file of secrets.',
    does_not_open: 'The file of secrets does not open with this key or passphrase.',
  },
  damagedHint: 'It stays as it is. Starting anew keeps it under another name.',
  unusable: 'The file of secrets cannot be used.',
  unlock: 'Unlock…',
  again: 'Try again',
  anew: 'Start anew',
  forget: 'Forget all',
  forgetTitle: 'Forget all secrets?',
  forgetText: 'MFA codes are asked for again, and recordings made so far cannot be played any more.',
  forgotten: 'All secrets are forgotten',
};
