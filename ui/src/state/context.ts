import { getContext, setContext } from 'svelte';

import type { Application } from './app.svelte';

const KEY = Symbol('application');

/** Makes the application reachable from every component below. */
export function provideApplication(app: Application): void {
  setContext(KEY, app);
}

export function useApplication(): Application {
  return getContext<Application>(KEY);
}
