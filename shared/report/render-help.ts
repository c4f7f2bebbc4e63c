/** What `/help` answers, from the registry that the parser uses too. */
import { commandRegistry } from '../command/command-registry.ts';
import { codeSpan } from './escape.ts';

/** @param topic a command's name; undefined for the overview */
export function renderHelp(topic?: string): string {
  const commands = commandRegistry.filter(({ name }) => topic === undefined || name === topic);
  return commands
    .map(({ usage, summary, keys }) => {
      const rows = keys.map(
        ({ name, value, description, example }) =>
          `| \`${name}\` | ${value.replaceAll('|', '\\|')} | ${description} | \`${example}\` |`,
      );
      const table =
        rows.length === 0
          ? ''
          : `\n\n| key | value | what it does | for example |\n|---|---|---|---|\n${rows.join('\n')}`;
      return `${codeSpan(usage)}: ${summary}${table}`;
    })
    .join('\n\n');
}
