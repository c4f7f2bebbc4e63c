/** What a run measured, whatever it was written with. */

export interface SeriesPoint {
  readonly step: number;
  readonly value: number;
}

export interface Metrics {
  /** Final values by name, nested names joined with `.`; finite numbers only. */
  readonly values: Readonly<Record<string, number>>;
  /** Per-step series by name, in ascending order of step. */
  readonly series: Readonly<Record<string, readonly SeriesPoint[]>>;
}

export const noMetrics: Metrics = { values: {}, series: {} };

/** One line of a running job's output that carries numbers, such as `epoch=3 loss=0.2 val_accuracy=0.94`. */
export interface Progress {
  /** What `step` counts, when the line says so. */
  readonly unit?: 'epoch' | 'step';
  readonly step?: number;
  readonly totalSteps?: number;
  readonly values: Readonly<Record<string, number>>;
}
