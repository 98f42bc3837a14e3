/** Points of a polyline over `width` x `height`, newest at the right; `top` is the value at the upper edge. */
export function points(values: number[], slots: number, width: number, height: number, top: number): string {
  const step = width / Math.max(1, slots - 1);
  const start = slots - values.length;
  return values
    .map((value, i) => `${((start + i) * step).toFixed(1)},${(height - (Math.min(value, top) / top) * height).toFixed(1)}`)
    .join(' ');
}

/** A round number at or above `value`: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}
