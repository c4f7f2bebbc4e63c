/**
 * Code that the sandbox runs, at the page that needs no password: it may read what anybody reads, and comment as
 * nobody, however it connects. People at the same address go on meanwhile.
 */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findInterpreter } from '../../sandbox/executor/interpreter.ts';
import { probeIsolation } from '../../sandbox/executor/isolation.ts';
import { stepsAt, lines, type Steps } from './action-step.ts';
import { eventually, personAt } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

/** Where jobs are not isolated they can hide; docs/sandbox.md says so. */
const isIsolated = (await probeIsolation(tmpdir(), await findInterpreter())) !== undefined;
if (!isIsolated) console.warn('skipped: no namespaces on this machine');

let sandbox: TemporarySandbox;
let steps: Steps;
let page: string;
beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const { web, repo, pull } = sandbox.description.github;
  page = `${web}/${repo}/pull/${pull}`;
});
afterAll(() => sandbox.close());

/** As the page does it itself, by a browser's own means or a program's. */
async function comment(body: string): Promise<number> {
  const opened = await fetch(page);
  const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const csrf = /data-csrf="([0-9a-f]{64})"/.exec(await opened.text())?.[1] ?? '';
  const headers = { cookie, 'x-csrf-token': csrf, 'content-type': 'application/json' };
  const posted = await fetch(`${page}/comments`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ body, as: 'owner' }) },
  });
  return posted.status;
}

/** The same in Python: plainly, by IPv6's form of the address, from a child whose parent is gone, and without waiting. */
const program = (port: string, path: string): string => `
import json, os, re, socket, struct, time
def ask(request, family=socket.AF_INET, host="127.0.0.1", wait=True):
    s = socket.socket(family)
    s.connect((host, ${port}))
    s.sendall(request.encode())
    if not wait:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        s.close()
        return ""
    answer = b""
    while chunk := s.recv(65536):
        answer += chunk
    return answer.decode()
head = "Host: 127.0.0.1:${port}\\r\\nConnection: close\\r\\n"
opened = ask("GET ${path} HTTP/1.1\\r\\n" + head + "\\r\\n")
print("opened", opened.split()[1])
cookie = re.search("sandbox_session=[^;]+", opened).group(0)
csrf = re.search('data-csrf="([0-9a-f]{64})"', opened).group(1)
body = json.dumps({"body": "/train by a job", "as": "owner"})
post = "POST ${path}/comments HTTP/1.1\\r\\n" + head + "Cookie: " + cookie + "\\r\\nX-CSRF-Token: " + csrf
post += "\\r\\nContent-Type: application/json\\r\\nContent-Length: " + str(len(body)) + "\\r\\n\\r\\n" + body
print("plain", ask(post).split()[1])
print("mapped", ask(post, socket.AF_INET6, "::ffff:127.0.0.1").split()[1], flush=True)
ask(post, wait=False)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        while os.getppid() != 1: time.sleep(0.02)
        print("orphan", os.getppid() == 1, ask(post).split()[1], flush=True)
    os._exit(0)
time.sleep(2)
print("waiting", flush=True)
time.sleep(3)
ask(post, wait=False)
`;

(isIsolated ? describe : describe.skip)('a job at the page', () => {
  it('may read and not comment', async () => {
    const { port, pathname } = new URL(page);
    const before = await personAt(sandbox).comments();
    const files = { 'train.py': program(port, pathname) };
    const running = steps.run({}, { files });
    const meanwhile = eventually('the job to run', async () =>
      (await steps.jobs()).some(({ state }) => state === 'JOB_STATE_RUNNING')
        ? comment('by a person')
        : undefined,
    );
    const [{ code, output }, status] = await Promise.all([running, meanwhile]);
    const told = lines(output).filter((line) => /^(?:opened|plain|mapped|orphan) /.test(line));
    expect(code).toBe(0);
    expect(told).toEqual(['opened 200', 'plain 403', 'mapped 403', 'orphan True 403']);
    expect(status).toBe(201);
    const added = (await personAt(sandbox).comments()).slice(before.length);
    expect(added.map(({ body }) => body)).toEqual(['by a person']);
  });
});
