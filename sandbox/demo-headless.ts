/**
 * `npm run demo -- --headless`: has main trained, types the command, shows both runs as a timeline and prints the
 * final comment.
 */
import { firstLineOf, hasEnded, isCard, lookUntil } from './demo-github.ts';
import type { CheckRun, Comment, DemoGitHub } from './demo-github.ts';
import { pushForTraining, sayTrained, sayUntrained, untilTrained } from './demo-main.ts';
import type { Timeline } from './demo-timeline.ts';
import { cloneUrl, type SandboxDescription } from './start.ts';
import { printable, toTerminalText } from './terminal-text.ts';

/** Far above the half minute that a run takes, so that a hang ends with a reason. */
const patienceMs = 180_000;
/** The card is edited after the check. */
const cardPatienceMs = 60_000;

interface Showing {
  readonly github: DemoGitHub;
  readonly timeline: Timeline;
}

/** @returns the exit code: 0 when the pull request's run succeeded and its check is green */
export async function headless(
  description: SandboxDescription,
  command: string,
  { github, timeline }: Showing,
): Promise<number> {
  await trainMain(cloneUrl(description.github), { github, timeline });
  const head = await github.headOfPull();
  const before = new Set((await github.checks(head)).map(({ id }) => id));
  const since = new Date();
  const asked = await github.say(command);
  const { repo, pull } = description.github;
  timeline.waitFor(`${command} on ${repo}#${pull} at ${head.slice(0, 7)}`);

  const answer = async (): Promise<Comment | undefined> =>
    (await github.answers(since)).find(({ id }) => id > asked.id);
  const phases = new Set<string>();
  const show = (title: string): void => {
    const phase = /^(?:Building|Running)/.exec(title)?.[0];
    if (phase === undefined || phases.has(phase)) timeline.progress(title);
    else timeline.waitFor(title);
    if (phase !== undefined) phases.add(phase);
  };
  const ended = await lookUntil(async () => {
    const check = (await github.checks(head)).find(({ id }) => !before.has(id));
    const comment = await answer();
    if (comment !== undefined && !isCard(comment)) return { comment };
    if (check?.output.title != null) show(check.output.title);
    return check?.status === 'completed' && comment !== undefined ? { check, comment } : undefined;
  }, patienceMs);
  timeline.stop();
  if (ended === undefined) throw new Error(`No result after ${patienceMs / 1_000} s.`);
  const { check, comment } = ended;
  if (check === undefined) {
    process.stdout.write(`\n${toTerminalText(comment.body)}\n`);
    return 1;
  }
  const edited = async (): Promise<Comment | undefined> => {
    const card = await github.comment(comment.id);
    return hasEnded(card) ? card : undefined;
  };
  const card = (await lookUntil(edited, cardPatienceMs)) ?? comment;
  timeline.say(firstLineOf(card));
  return showEnd(check, card);
}

/** What goes wrong is said, and the demo goes on without it. */
async function trainMain(url: string, { github, timeline }: Showing): Promise<void> {
  try {
    const sha = await pushForTraining(github, url);
    timeline.waitFor(`main ${sha.slice(0, 7)} (train_on_push): what the run is compared with`);
    const check = await untilTrained(github, sha, (title) => {
      timeline.progress(`main ${sha.slice(0, 7)}: ${title}`);
    });
    timeline.say(sayTrained(sha, check));
  } catch (error) {
    timeline.say(sayUntrained(error));
  }
}

function showEnd({ conclusion, name, output }: CheckRun, card: Comment): number {
  const isGreen = conclusion === 'success';
  process.stdout.write(`\n${toTerminalText(card.body)}\n\n`);
  const title = printable(output.title ?? '');
  if (isGreen) process.stdout.write(`The check "${printable(name)}" is green: ${title}\n`);
  else
    process.stderr.write(`The check "${printable(name)}" is ${conclusion ?? 'open'}: ${title}\n`);
  return isGreen ? 0 : 1;
}
