import type { GlyphName } from '../parts/glyphs';
import type { ListingState, Readiness, SessionState, StepState } from '../host/types';

/** The silhouette of each state; the words are in the dictionaries. */
export const READINESS_GLYPH: Record<Readiness, GlyphName> = {
  ready: 'ready', limited: 'warn', blocked: 'block', lost: 'lost', checking: 'check',
};

export const STEP_GLYPH: Record<StepState, GlyphName> = {
  passed: 'done', limited: 'warn', stopped: 'block', lost: 'lost', running: 'check', not_checked: 'idle', not_reached: 'wait',
};

export const LISTING_GLYPH: Record<ListingState, GlyphName> = {
  waiting: 'wait', loading: 'check', loaded: 'ready', denied: 'block', failed: 'fail',
};

/** A session's glyph; an idle timeout is not how a session should end, so it is a triangle. */
export function sessionGlyph(state: SessionState): GlyphName {
  switch (state.state) {
    case 'connecting': return 'check';
    case 'connected': return 'ready';
    case 'reconnecting': return state.nextTryMs === null ? 'check' : 're';
    case 'ended': return state.normal ? 'off' : 'warn';
    case 'failed': return state.problem.code === 'access_denied' || state.problem.code === 'tier_required' ? 'block' : 'fail';
  }
}
