/** The calendar month that something counts in. */

/** `2026-11`, in UTC. */
export function monthOf(instant: Date): string {
  return instant.toISOString().slice(0, 7);
}
