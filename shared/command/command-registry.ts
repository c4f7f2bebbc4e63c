/**
 * Every command and key there is: what the parser accepts, help prints and the documents list. A command
 * without a row here is nobody's to give.
 */
import type { Command } from './command.ts';
import { trainKeys, type KeyHelp } from './train-keys.ts';

export interface CommandHelp {
  readonly name: Command['kind'];
  readonly usage: string;
  readonly summary: string;
  /** A line that would be accepted. */
  readonly example: string;
  readonly keys: readonly KeyHelp[];
}

export const commandRegistry: readonly CommandHelp[] = [
  {
    name: 'train',
    usage: '/train [key=value …] [dry-run] [-- arguments of your code]',
    summary: "builds this pull request's image and trains it on Vertex AI",
    example: '/train gpu=T4',
    keys: trainKeys,
  },
  {
    name: 'build',
    usage: '/build [build=always] [dry-run]',
    summary: "builds this pull request's image and trains nothing",
    example: '/build',
    keys: [],
  },
  {
    name: 'retry',
    usage: '/retry [run] [key=value …] [dry-run] [-- arguments of your code]',
    summary:
      'does what a run was asked for once more, on its commit; the keys of `/train` change it',
    example: '/retry machine=n1-highmem-8',
    keys: [],
  },
  {
    name: 'status',
    usage: '/status',
    summary: "lists this pull request's runs: where they are and what they cost",
    example: '/status',
    keys: [],
  },
  {
    name: 'logs',
    usage: '/logs [run] [lines=N]',
    summary: "shows the end of a run's log, the newest run's unless you name one",
    example: '/logs lines=100',
    keys: [],
  },
  {
    name: 'compare',
    usage: '/compare [run] [run|base]',
    summary: "shows two runs' metrics side by side, or a run's and the default branch's",
    example: '/compare',
    keys: [],
  },
  {
    name: 'cost',
    usage: '/cost',
    summary: "shows what this pull request's runs cost, and this repository's this month",
    example: '/cost',
    keys: [],
  },
  {
    name: 'cancel',
    usage: '/cancel [run|all]',
    summary: 'stops a run, with its build and its job',
    example: '/cancel all',
    keys: [],
  },
  {
    name: 'approve',
    usage: '/approve SHA',
    summary: "lets one commit of a fork's pull request run; any push voids it",
    example: '/approve 3f2c1ab0d5e4f7a8b9c0d1e2f3a4b5c6d7e8f901',
    keys: [],
  },
  {
    name: 'trigger',
    usage: '/trigger list | show NAME | run NAME [ref] [_KEY=value …] | apply [dry-run]',
    summary: 'shows, runs and applies the Cloud Build triggers that the default branch declares',
    example: '/trigger list',
    keys: [],
  },
  {
    name: 'help',
    usage: '/help [command]',
    summary: 'lists the commands, or the keys of one',
    example: '/help train',
    keys: [],
  },
];
