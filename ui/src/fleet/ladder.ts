import type { LadderStep } from '../host/types';
import { language } from '../i18n/index.svelte';

/** A step of the ladder in words. */
export interface StepWords {
  label: string;
  /** Right-aligned, with its age; possibly empty. */
  fact: string;
  /** Why, possibly empty. */
  cause: string;
  /** What to do next, possibly empty. */
  action: string;
}

export function stepWords(step: LadderStep, region: string, now: number): StepWords {
  const m = language.m.ladder;
  const { evidence } = step;
  const age = step.atMs === null ? null : language.age(now - step.atMs);
  const aged = (words: string) => (age === null ? words : m.aged(words, age));
  const words: StepWords = {
    label: m.names[step.name],
    fact: m.facts[evidence.kind] ?? '',
    cause: m.causes[evidence.kind] ?? '',
    action: m.actions[evidence.kind]?.(region) ?? '',
  };
  switch (evidence.kind) {
    case 'listed': words.fact = age === null ? '' : m.ago(age); break;
    case 'heard':
    case 'agent_lost': words.fact = age === null ? words.fact : m.ping(age); break;
    case 'not_running':
      words.fact = age === null ? words.fact : m.ping(age);
      words.cause = m.notRunning(evidence.state);
      break;
    case 'old_agent':
      words.fact = age === null ? words.fact : m.ping(age);
      words.cause = [m.oldAgent(evidence.version), ...evidence.lacks.map((closed) => m.gates[closed.gate](closed.since))].join(' ');
      break;
    case 'channel_trying': words.cause = evidence.tries === 0 ? words.cause : m.trying(evidence.tries); break;
    case 'channel_not_connectable':
      words.fact = aged(words.fact);
      words.cause = m.notConnectable(evidence.tries);
      break;
    case 'channel_opened': words.fact = aged(m.opened(evidence.afterMs)); break;
    case 'iam_allowed':
    case 'iam_denied':
    case 'channel_connected':
    case 'channel_not_connected':
    case 'channel_not_opened': words.fact = aged(words.fact); break;
    default: break;
  }
  return words;
}
