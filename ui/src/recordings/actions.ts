import type { RecordingRow, TabRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { Application } from '../state/app.svelte';
import { isLive } from '../state/tabs.svelte';

/** Whether a tab has a session that can be recorded. */
export function canRecord(tab: TabRow | null): tab is TabRow {
  return tab !== null && tab.kind === 'shell' && isLive(tab);
}

/** Begins the recording of a tab's session, or ends it. */
export async function toggleRecording(app: Application, tab: TabRow): Promise<void> {
  const on = (tab.session?.recording ?? null) === null;
  const done = await app.chrome.run(app.host.tabRecord(tab.id, on).then(() => true));
  if (done) app.chrome.say(on ? language.m.recordings.begun : language.m.recordings.ended);
}

export async function play(app: Application, row: RecordingRow): Promise<void> {
  const tab = await app.chrome.run(app.host.recordingPlay(row.id));
  if (tab) app.tabs.show(tab);
}

/** Asks first: what is written is in clear. */
export function askToExport(app: Application, row: RecordingRow): void {
  const m = language.m.recordings;
  app.chrome.open({
    kind: 'confirm', title: m.exportTitle, text: m.exportText, confirm: m.exportButton,
    run: async () => {
      const path = await app.chrome.run(app.host.recordingExport(row.id));
      if (path !== undefined) app.chrome.toast = { text: m.exported(path), copy: path };
      return path !== undefined;
    },
  });
}

/** Asks first; `done` is called when it is gone. */
export function askToDelete(app: Application, row: RecordingRow, done: () => void): void {
  const m = language.m.recordings;
  app.chrome.open({
    kind: 'confirm', title: m.removeTitle, text: m.removeText, confirm: m.removeButton,
    run: async () => {
      const gone = await app.chrome.run(app.host.recordingDelete(row.id).then(() => true));
      if (gone) done();
      return gone === true;
    },
  });
}
