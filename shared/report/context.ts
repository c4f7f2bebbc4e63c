/** What a report needs beyond the Run. */
export interface CardContext {
  readonly now: Date;
  /** True in the local sandbox, where the GPU is simulated: said once, plainly. */
  readonly sandbox: boolean;
  /** Links that we built ourselves. */
  readonly links: { readonly job?: string; readonly logs?: string; readonly build?: string };
  /** The metric that matters, from the repository's configuration. */
  readonly metric?: string;
}
