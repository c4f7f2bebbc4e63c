/**
 * The files of an image while it is built: paths and where their contents lie, nothing copied. In: entries
 * to add. Out: the same entries with the directories above them that were missing, which is a layer.
 */
import type { LayerEntry } from './pack-layer.ts';

export class ImageTree {
  readonly #entries: Map<string, LayerEntry>;

  constructor(entries: Iterable<LayerEntry> = []) {
    this.#entries = new Map([...entries].map((entry) => [entry.path, entry]));
  }

  clone(): ImageTree {
    return new ImageTree(this.#entries.values());
  }

  get(path: string): LayerEntry | undefined {
    return this.#entries.get(path);
  }

  /** The root counts as a directory. */
  isDirectory(path: string): boolean {
    return path === '' || this.#entries.get(path)?.type === 'directory';
  }

  /** Everything below a directory; all of it for the root (`''`). */
  below(path: string): LayerEntry[] {
    const prefix = path === '' ? '' : `${path}/`;
    return [...this.#entries.values()].filter((entry) => entry.path.startsWith(prefix));
  }

  paths(): string[] {
    return [...this.#entries.keys()];
  }

  /** Adds the entries and returns what is new, parents included. A file replaces a directory and the reverse. */
  add(entries: readonly LayerEntry[]): LayerEntry[] {
    const added = new Map<string, LayerEntry>();
    for (const entry of entries) {
      for (const parent of parentsOf(entry.path)) {
        if (this.isDirectory(parent)) continue;
        this.#set({ type: 'directory', path: parent, mode: 0o755 }, added);
      }
      if (entry.path === '') continue;
      if (entry.type === 'directory' && this.isDirectory(entry.path)) continue;
      this.#set(entry, added);
    }
    return [...added.values()];
  }

  #set(entry: LayerEntry, added: Map<string, LayerEntry>): void {
    if (entry.type !== 'directory' && this.isDirectory(entry.path)) {
      for (const { path } of this.below(entry.path)) {
        this.#entries.delete(path);
        added.delete(path);
      }
    }
    this.#entries.set(entry.path, entry);
    added.set(entry.path, entry);
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('/'));
}
