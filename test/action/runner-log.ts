/**
 * A step's log as GitHub's runner reads it: the text that a step printed in, the workflow commands that
 * took effect out. Written after the runner's own parser.
 * @see https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 * @see https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs
 */

const registered: ReadonlySet<string> = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

interface Command {
  readonly name: string;
  readonly data: string;
}

/** Every end of a line that a reader of the log may know. */
const lineEnd = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;

/** Each as `name data`; `stop-commands` and its end are left out, and so is what stands between them. */
export function commandsIn(output: string): string[] {
  const commands: string[] = [];
  let stopToken: string | undefined;
  for (const line of output.split(lineEnd)) {
    const command = parseNew(line, stopToken) ?? parseOld(line, stopToken);
    if (command === undefined) continue;
    if (stopToken !== undefined) {
      if (command.name === stopToken) stopToken = undefined;
    } else if (command.name === 'stop-commands') {
      stopToken = command.data;
    } else {
      commands.push(`${command.name} ${command.data}`.trim());
    }
  }
  return commands;
}

/** `::name key=value::data` at the beginning of a line, spaces before it allowed. */
function parseNew(line: string, stopToken: string | undefined): Command | undefined {
  const match = /^\s*::(.*?)::(.*)$/.exec(line);
  return match === null ? undefined : known(match[1] ?? '', match[2] ?? '', stopToken);
}

/** `##[name key=value]data` anywhere in a line; only the first is looked at. */
function parseOld(line: string, stopToken: string | undefined): Command | undefined {
  const match = /##\[(.*?)\](.*)$/.exec(line);
  return match === null ? undefined : known(match[1] ?? '', match[2] ?? '', stopToken);
}

function known(info: string, data: string, stopToken: string | undefined): Command | undefined {
  const name = (info.split(' ')[0] ?? '').toLowerCase();
  return registered.has(name) || name === stopToken ? { name, data } : undefined;
}
