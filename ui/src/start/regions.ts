const NAME = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/u;

/** Region names typed into one field, or the first word that is none. */
export function parseRegions(text: string): { regions: string[] } | { wrong: string } {
  const words = text.split(/[\s,;]+/u).filter((word) => word !== '').map((word) => word.toLowerCase());
  const wrong = words.find((word) => !NAME.test(word));
  return wrong === undefined ? { regions: [...new Set(words)] } : { wrong };
}
