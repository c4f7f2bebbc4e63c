/** How a run is refused whose configuration does not parse. By itself, because the schemas take long to load. */
import { quoteToken } from '../command/quote-token.ts';
import type { Refusal } from '../policy/decision.ts';
import type { ConfigProblem } from './problem.ts';

/** The answer where a configuration file is wrong: the first three problems with their places. */
export function badConfig(problems: readonly ConfigProblem[]): Refusal {
  const [first] = problems;
  const places = problems
    .slice(0, 3)
    .map(
      ({ file, line, column, message }) =>
        `${quoteToken(`${file.length > 40 ? `…${file.slice(-39)}` : file}:${line}:${column}`)}: ${message}`,
    );
  const more = problems.length > 3 ? ` (and ${problems.length - 3} more)` : '';
  return {
    kind: 'rejected',
    reason: 'bad_config',
    message: `${places.join(' ')}${more}`,
    fix: `Correct ${first === undefined ? 'the file' : quoteToken(first.file)}, push, and comment again.`,
  };
}
