/** Keys in the head of a table whose columns sort: arrows step through the columns, `ArrowDown` and `Escape` lead back into the table. */
export function headKeys(event: KeyboardEvent): void {
  const head = event.currentTarget;
  if (!(head instanceof HTMLElement) || event.altKey || event.ctrlKey || event.metaKey) return;
  const buttons = [...head.querySelectorAll<HTMLElement>('button')];
  const at = buttons.findIndex((button) => button === document.activeElement);
  if (at < 0) return;
  if (event.key === 'Enter' || event.key === ' ') {
    // The button does what it is for; the rows below have nothing to do with it.
    event.stopPropagation();
    return;
  }
  const to: Record<string, HTMLElement | null | undefined> = {
    ArrowRight: buttons[at + 1], ArrowLeft: buttons[at - 1], Home: buttons[0], End: buttons.at(-1),
    ArrowDown: head.closest<HTMLElement>('[role=grid]'), Escape: head.closest<HTMLElement>('[role=grid]'),
  };
  if (!(event.key in to)) return;
  to[event.key]?.focus();
  event.preventDefault();
  event.stopPropagation();
}
