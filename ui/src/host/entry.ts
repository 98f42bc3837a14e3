/** The one door to the host; everything else in this folder stays behind it. */
export { createTauriHost } from './tauri';
