/** The process: GitHub's runner starts this file twice, for the main step and for the post step. */
import { stepPorts } from '../shared/google/step-ports.ts';
import { systemClock } from '../shared/ports.ts';
import { explain } from './explain.ts';
import { heedProxy } from './heed-proxy.ts';
import { credentialsOf } from './identity.ts';
import { identityIn } from './inputs.ts';
import { main } from './main.ts';
import { post } from './post.ts';
import { githubRunner } from './runner.ts';

/** Set by the main step; the runner hands state back as STATE_* to the post step only. */
const mainWasHere = 'main';

async function start(): Promise<number> {
  heedProxy(process.env);
  if (githubRunner.getState(mainWasHere) !== '') {
    const { env } = process;
    const credentials = credentialsOf(identityIn(env), env);
    const endpoint = env['TRAINYARD_GOOGLE_ENDPOINT'];
    return post(githubRunner, () => stepPorts({ endpoint, credentials }), systemClock);
  }
  githubRunner.saveState(mainWasHere, 'true');
  const interrupt = new AbortController();
  // A cancelled workflow sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that.
  // @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => interrupt.abort());
  }
  // Nobody reads the log any more (`… | head`): what was started is not left running unseen.
  process.stdout.on('error', () => interrupt.abort());
  // Node's warnings, such as the client library's about a missing metadata server, are for us.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => githubRunner.debug(String(warning)));
  const { env } = process;
  return main({ env, runner: githubRunner, clock: systemClock, interrupt: interrupt.signal });
}

start().then(
  // Not left to an empty event loop: the clients keep connections open.
  (code) => process.exit(code),
  (error: unknown) => {
    githubRunner.error(explain(error));
    process.exit(1);
  },
);
