import { de } from './de';
import { en, type Messages } from './en';
import { ja } from './ja';

/** Dictionaries by the language part of a locale. */
export const dictionaries: Record<string, Messages> = { en, de, ja };
