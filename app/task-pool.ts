/**
 * Runs tasks in this process: at most so many at once, and never two with the same key. Asking for a key
 * that is running runs it once more afterwards, so no wake-up is lost.
 */
export class TaskPool {
  private readonly limit: number;
  private readonly waiting = new Map<string, () => Promise<void>>();
  private readonly running = new Map<string, Promise<void>>();
  private isClosed = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** `task` must not reject. After `drain` nothing is started any more. */
  start(key: string, task: () => Promise<void>): void {
    if (this.isClosed) return;
    this.waiting.set(key, task);
    this.next();
  }

  /** Forgets what has not begun, and waits for what has. */
  async drain(): Promise<void> {
    this.isClosed = true;
    this.waiting.clear();
    await Promise.all(this.running.values());
  }

  private next(): void {
    for (const [key, task] of this.waiting) {
      if (this.running.size >= this.limit) return;
      if (this.running.has(key)) continue;
      this.waiting.delete(key);
      const done = task().finally(() => {
        this.running.delete(key);
        this.next();
      });
      this.running.set(key, done);
    }
  }
}
