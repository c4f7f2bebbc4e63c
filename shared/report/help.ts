/** What `/help` answers: the command registry in, Markdown out. */
import type { CommandHelp } from '../command/command-registry.ts';
import { nearest } from '../units.ts';
import { codeCell, codeSpan, table } from './markdown.ts';

/** @param topic The command that help is wanted for, as typed; undefined for the overview. */
export function renderHelp(commands: readonly CommandHelp[], topic?: string): string {
  if (topic === undefined) return renderOverview(commands);
  const wanted = topic.replace(/^\//, '').toLowerCase();
  const command = commands.find(({ name }) => name === wanted);
  if (command !== undefined) return renderCommand(command);
  const near = nearest(
    wanted,
    commands.map(({ name }) => name),
  );
  const hint = near === undefined ? '' : ` Did you mean ${codeSpan(`/${near}`)}?`;
  return `There is no command ${codeSpan(topic, 60)}.${hint}\n\n${renderOverview(commands)}`;
}

function renderOverview(commands: readonly CommandHelp[]): string {
  const rows = commands.map(({ usage, summary }) => [codeCell(usage), summary]);
  return `${table(['you type', 'it does'], rows)}\n\n${commands
    .filter(({ keys }) => keys.length > 0)
    .map(renderKeys)
    .join('\n\n')}\n`;
}

function renderCommand(command: CommandHelp): string {
  const keys = command.keys.length === 0 ? '' : `\n\n${renderKeys(command)}`;
  return `${codeSpan(command.usage)} ${command.summary}.${keys}\n`;
}

function renderKeys({ name, keys }: CommandHelp): string {
  const rows = keys.map(({ name: key, description, example }) => [
    codeCell(key),
    description,
    // Nobody copies it, and it would be most of a phone's screen.
    codeCell(example.replace(/[\da-f]{64}/, '…')),
  ]);
  return `**Keys of** ${codeSpan(`/${name}`)}\n\n${table(['key', 'what it is', 'example'], rows)}`;
}
