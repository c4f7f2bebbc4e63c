/** One call of one operation as its handler sees it: checked input, known caller, found repository. */
import type { Hub } from '../hub.ts';
import type { Account, Repository } from '../state/model.ts';
import type { Caller } from './authenticate.ts';
import type { Input } from './openapi.ts';
import { notFound, type Reply } from './reply.ts';

export type Handler = (call: Call) => Reply | Promise<Reply>;

export class Call {
  readonly hub: Hub;
  readonly caller: Caller;
  readonly input: Input;
  /** The address that was asked for. */
  readonly url: URL;
  /** The media types that the caller wants. */
  readonly accept: string;
  private readonly found: Repository | undefined;

  constructor(from: {
    readonly hub: Hub;
    readonly caller: Caller;
    readonly input: Input;
    readonly url: URL;
    readonly accept: string;
    readonly repository: Repository | undefined;
  }) {
    this.hub = from.hub;
    this.caller = from.caller;
    this.input = from.input;
    this.url = from.url;
    this.accept = from.accept;
    this.found = from.repository;
  }

  /** The repository that the path names. */
  get repository(): Repository {
    if (this.found === undefined) throw notFound();
    return this.found;
  }

  /** Who acts; authorize() has let nobody pass who is nobody where this is asked. */
  get actor(): Account {
    const { caller } = this;
    if (caller.kind === 'person' || caller.kind === 'installation') return caller.account;
    throw notFound();
  }

  get isApp(): boolean {
    return this.caller.kind === 'installation';
  }

  text(name: string): string {
    const value = this.input[name];
    if (typeof value !== 'string') throw new TypeError(`${name} is no text`);
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.input[name];
    return typeof value === 'string' ? value : undefined;
  }

  integer(name: string): number {
    const value = this.input[name];
    if (typeof value !== 'number') throw new TypeError(`${name} is no number`);
    return value;
  }

  object(name: string): Input | undefined {
    const value = this.input[name];
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Input)
      : undefined;
  }
}
