/** Durations: `3600s`, as REST and configuration files have them, in; what the client libraries take out. */

interface WireDuration {
  /** An int64, so a decimal text. */
  readonly seconds: string;
  readonly nanos: number;
}

export function toWireDuration(value: unknown): WireDuration {
  const match = /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(String(value));
  if (match === null) throw new Error(`not a duration: ${JSON.stringify(value)}`);
  return { seconds: match[1] ?? '0', nanos: Number((match[2] ?? '').padEnd(9, '0')) };
}
