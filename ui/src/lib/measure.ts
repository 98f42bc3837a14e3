/** Measures a box now and whenever its size changes. Returns what ends that. */
export function onResize(box: Element, measure: () => void): () => void {
  const observer = new ResizeObserver(measure);
  observer.observe(box);
  measure();
  return () => observer.disconnect();
}
