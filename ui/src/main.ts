import { mount } from 'svelte';

import App from './App.svelte';
import { createTauriHost } from './host/entry';
import type { Host } from './host/types';
import { language } from './i18n/index.svelte';
import './styles/index.css';

/** The desktop application; in a plain browser during development, an invented fleet. */
async function chooseHost(): Promise<Host> {
  if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
    const { createFakeHost } = await import('./host/fake/host');
    return createFakeHost(new URLSearchParams(location.search));
  }
  return createTauriHost();
}

language.choose(navigator.languages);
const target = document.getElementById('app');
if (target) {
  const host = await chooseHost();
  mount(App, { target, props: { host } });
  // The tray and notifications speak as the window does; without it they stay English.
  void host.appLanguage(language.name).catch(() => undefined);
}
