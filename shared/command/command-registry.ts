/** Every command and key there is: what the parser accepts, help prints and the documents list. */

import type { Command } from './command.ts';

export interface KeyHelp {
  readonly name: string;
  /** What the value looks like; empty for a flag that takes none. */
  readonly value: string;
  readonly description: string;
  /** A word that would be accepted. */
  readonly example: string;
}

export interface CommandHelp {
  readonly name: Command['kind'];
  readonly usage: string;
  readonly summary: string;
  readonly keys: readonly KeyHelp[];
}

export const commandRegistry: readonly CommandHelp[] = [
  {
    name: 'train',
    usage: '/train [key=value …] [dry-run] [-- arguments of your code]',
    summary: "builds this pull request's image and trains it on Vertex AI",
    keys: [
      {
        name: 'gpu',
        value: 'NAME[:COUNT] or none',
        description: 'the GPU, and how many of it',
        example: 'gpu=T4',
      },
      {
        name: 'machine',
        value: 'machine type',
        description: 'the machine, when the one that comes with the GPU is not right',
        example: 'machine=n1-standard-8',
      },
      {
        name: 'region',
        value: 'region',
        description: 'where the job runs',
        example: 'region=us-central1',
      },
      {
        name: 'timeout',
        value: 'duration',
        description: 'when the job is ended at the latest',
        example: 'timeout=1h30m',
      },
      {
        name: 'config',
        value: 'path',
        description: 'the job config in this repository',
        example: 'config=config_gpu.yaml',
      },
      {
        name: 'dry-run',
        value: '',
        description: 'shows the plan and its price and does nothing',
        example: 'dry-run',
      },
    ],
  },
  {
    name: 'status',
    usage: '/status',
    summary: "lists this pull request's runs: where they are and what they cost",
    keys: [],
  },
  {
    name: 'cancel',
    usage: '/cancel [run|all]',
    summary: 'stops a run, with its build and its job',
    keys: [],
  },
  {
    name: 'help',
    usage: '/help [command]',
    summary: 'lists the commands, or the keys of one',
    keys: [],
  },
];
