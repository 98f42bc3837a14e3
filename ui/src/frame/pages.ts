import type { IconName } from '../parts/glyphs';
import { language } from '../i18n/index.svelte';
import { ACCOUNTS_TAB, ACTIVATIONS_TAB, AUDIT_TAB, DOCUMENTS_TAB, FLEET_TAB, FORWARDS_TAB, HISTORY_TAB, RECORDINGS_TAB, SETTINGS_TAB } from '../state/tabs.svelte';

/** The sections as they stand in the rail; their chords count them from 1. */
export const SECTIONS = [FLEET_TAB, FORWARDS_TAB, HISTORY_TAB, DOCUMENTS_TAB, ACTIVATIONS_TAB, ACCOUNTS_TAB, SETTINGS_TAB] as const;

/** How a page of the interface is called. */
export function pageTitle(id: string): string {
  const m = language.m;
  switch (id) {
    case FORWARDS_TAB: return m.fwd.title;
    case HISTORY_TAB: return m.history.title;
    case AUDIT_TAB: return m.audit.title;
    case DOCUMENTS_TAB: return m.documents.title;
    case ACCOUNTS_TAB: return m.acc.title;
    case ACTIVATIONS_TAB: return m.activations.title;
    case RECORDINGS_TAB: return m.recordings.title;
    case SETTINGS_TAB: return m.settings;
    default: return id;
  }
}

/** What stands beside its name. */
export function pageIcon(id: string): IconName {
  switch (id) {
    case FORWARDS_TAB: return 'forwards';
    case HISTORY_TAB: return 'history';
    case AUDIT_TAB: return 'shield';
    case RECORDINGS_TAB: return 'history';
    case DOCUMENTS_TAB: return 'documents';
    case ACCOUNTS_TAB: return 'accounts';
    case ACTIVATIONS_TAB: return 'activation';
    default: return 'settings';
  }
}
