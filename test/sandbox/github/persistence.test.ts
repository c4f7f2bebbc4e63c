/** Everything is found again: after a stop, after kill -9 at any moment, beside what a killed writer left. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { getOctokit } from '@actions/github';
import type { State } from '../../../sandbox/github/state/model.ts';
import { Store } from '../../../sandbox/github/state/store.ts';
import { addressOf, clone } from './git-client.ts';
import { gitHasEnded } from './git-processes.ts';
import { startReceiver, type Receiver } from './webhook-receiver.ts';
import {
  digits,
  files,
  issueOne,
  publicKey,
  pullOne,
  startWorld,
  writeFiles,
  type Octokit,
  type World,
} from './world.ts';

describe('stopping and starting again', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it('finds everything, at whatever port', async () => {
    const { rest } = world.as('writer');
    const { tokens } = world.github;
    const { data: comment } = await rest.issues.createComment({ ...issueOne, body: 'kept' });
    await rest.reactions.createForIssueComment({
      ...{ ...digits, comment_id: comment.id, content: 'eyes' },
    });
    const { data: pull } = await rest.pulls.get(pullOne);
    const { data: run } = await world.installation.rest.checks.create({
      ...{ ...digits, name: 'kept', head_sha: pull.head.sha },
      actions: [{ label: 'Cancel', description: 'Ends it', identifier: 'cancel' }],
    });
    await world.as('stranger').rest.repos.createFork(digits);
    const token = (
      await world.app.rest.apps.createInstallationAccessToken({ installation_id: 7001 })
    ).data.token;
    await world.github.webhooksSettled();
    const told = world.receiver.received.length;
    const deliveries = (await world.app.rest.apps.listWebhookDeliveries()).data;
    const before = world.github.web;

    await world.restart();

    expect(world.github.web).not.toBe(before);
    expect(world.github.tokens).toEqual(tokens);
    const again = world.as('writer').rest;
    const { data } = await again.issues.getComment({ ...digits, comment_id: comment.id });
    expect(data).toMatchObject({
      body: 'kept',
      reactions: { eyes: 1 },
      created_at: comment.created_at,
    });
    // Addresses are of the new port.
    expect(data.url).toBe(comment.url.replace(before, world.github.web));
    expect((await again.pulls.get(pullOne)).data.head.sha).toBe(pull.head.sha);
    expect((await again.checks.get({ ...digits, check_run_id: run.id })).data.name).toBe('kept');
    world.github.pressButton(run.id, 'cancel', 'writer');
    expect((await again.repos.get({ owner: 'sam', repo: 'digits' })).data.fork).toBe(true);
    const asApp = world.withToken(token).rest.apps.listReposAccessibleToInstallation();
    expect((await asApp).data.total_count).toBe(1);
    await world.github.webhooksSettled();
    // Nothing is sent twice, and the new delivery has an id of its own.
    expect(world.receiver.received).toHaveLength(told + 1);
    const now = (await world.app.rest.apps.listWebhookDeliveries()).data;
    expect(now.slice(1)).toEqual(deliveries);
    expect(now[0]!.id).toBeGreaterThan(deliveries[0]!.id);
  });

  it('keeps what is in it from other people of this machine', async () => {
    const mode = async (path: string): Promise<string> =>
      ((await stat(join(world.dataDir, path))).mode & 0o777).toString(8);
    expect(await mode('.')).toBe('700');
    expect(await mode('state.json')).toBe('600');
    expect(await mode('deliveries')).toBe('700');
  });

  it('clears away what a killed writer has left half-written', async () => {
    const left = ['state.json.0123456789ab.tmp', 'deliveries/20999.json.0123456789ab.tmp'];
    await world.restart(async () => {
      for (const name of left) await writeFile(join(world.dataDir, name), '{"nextId":');
    });
    for (const name of left) {
      await expect(stat(join(world.dataDir, name))).rejects.toThrow('ENOENT');
    }
    const { data } = await world.as('reader').rest.issues.listComments(issueOne);
    expect(data.map(({ body }) => body)).toEqual(['kept']);
  });

  it('says which file is damaged rather than starting anew over it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'trainyard-damaged-'));
    try {
      await writeFile(join(directory, 'state.json'), '{"nextId":20001,"accounts":[{"id"');
      await expect(Store.open(directory)).rejects.toThrow(
        `${join(directory, 'state.json')} is damaged. Put back a copy`,
      );
      expect(await readdir(directory)).toEqual(['state.json']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('kill -9', () => {
  let directory: string;
  let receiver: Receiver;
  let server: Server;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trainyard-killed-'));
    await writeFiles(join(directory, 'seed'), files);
    await writeFile(join(directory, 'public.pem'), publicKey);
    receiver = await startReceiver('a secret of thirty-two characters');
    server = await startServer(directory, receiver);
  });
  afterEach(async () => {
    await server.kill();
    await receiver.close();
    await rm(directory, { recursive: true, force: true });
  });

  const restart = async (): Promise<void> => {
    await server.kill();
    server = await startServer(directory, receiver);
  };

  it('takes nothing back that was answered, and leaves nothing untold', async () => {
    const said: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { issues } = server.as('writer').rest;
      // One after the other until it dies in the middle of one of them.
      const dying = (async () => {
        for (;;) {
          const { data } = await issues.createComment({ ...issueOne, body: `${said.length}` });
          said.push(data.id);
          if (said.length === (round + 1) * 7) server.killNow();
        }
      })();
      await expect(dying).rejects.toMatchObject({ status: 500 });
      await restart();
    }
    const octokit = server.as('reader');
    const kept = await octokit.paginate(octokit.rest.issues.listComments, issueOne);
    const ids = kept.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(said));
    expect(new Set(ids).size).toBe(ids.length);
    await server.settled();
    const told = new Set(
      receiver.received.map(
        ({ payload }) => (payload['comment'] as { id: number } | undefined)?.id,
      ),
    );
    expect(ids.filter((id) => !told.has(id))).toEqual([]);
    // Whoever hears of a comment finds it.
    expect([...told].filter((id) => id !== undefined && !ids.includes(id))).toEqual([]);
  });

  it('delivers later what was not answered, under the same guid', async () => {
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    await server.settled();
    // It never answers, and the server dies while it waits.
    receiver.answer = () => arrived();
    await server.as('writer').rest.issues.createComment({ ...issueOne, body: 'told late' });
    await arrival;
    server.killNow();
    receiver.answer = (response) => response.writeHead(202).end();
    await restart();
    await server.settled();
    const told = receiver.received.filter(({ event }) => event === 'issue_comment');
    expect(told.at(-1)?.payload).toMatchObject({ comment: { body: 'told late' } });
    const guids = receiver.received.map(({ headers }) => headers['x-github-delivery']);
    expect(new Set(guids).size).toBeLessThan(guids.length);
  });

  it('in the middle of a push leaves pull requests where git is, and tells of it', async () => {
    const address = (): string => addressOf(server.web, 'acme/digits', server.tokens['writer']);
    const { git, commit, remove } = await clone(address());
    try {
      await git('checkout', '--quiet', 'tune-learning-rate');
      const sha = await commit({ 'killed.txt': 'x\n' });
      // A push begins, the server dies, and git moves the reference with nobody there to see it.
      await beginPush(directory, server);
      await server.kill();
      await gitHasEnded(join(directory, 'data'));
      const bare = join(directory, 'data', 'git', '1001.git');
      await git('push', '--quiet', bare, 'HEAD:refs/heads/tune-learning-rate');
      server = await startServer(directory, receiver);
      expect((await server.as('reader').rest.pulls.get(pullOne)).data.head.sha).toBe(sha);
      await server.settled();
      expect(receiver.last('pull_request.synchronize').payload).toMatchObject({
        ...{ number: 1, after: sha, sender: { login: 'wes' } },
      });
      expect(receiver.last('push').payload).toMatchObject({ after: sha });
      // Once is enough.
      receiver.take();
      await restart();
      await server.settled();
      expect(receiver.take()).toEqual([]);
    } finally {
      await remove();
    }
  });

  it('while it is seeded leaves what the next start completes', async () => {
    await server.kill();
    const fresh = join(directory, 'fresh');
    await mkdir(fresh);
    await writeFiles(join(fresh, 'seed'), files);
    await writeFile(join(fresh, 'public.pem'), publicKey);
    // As a first start leaves it: a repository that is half there, and no state yet.
    await writeFiles(join(fresh, 'data/git/1001.git'), {
      HEAD: 'ref: refs/heads/none\n',
      config: '',
    });
    server = await startServer(fresh, receiver);
    expect((await server.as('reader').rest.pulls.get(pullOne)).data.commits).toBe(1);
  });
});

/** Sends the beginning of a push; resolves when the server has written down that one is under way. */
async function beginPush(directory: string, server: Server): Promise<void> {
  const { hostname, port } = new URL(server.web);
  const begun = request({
    ...{ hostname, port, method: 'POST', path: '/acme/digits.git/git-receive-pack' },
    headers: {
      authorization: `Bearer ${server.tokens['writer']}`,
      'content-type': 'application/x-git-receive-pack-request',
      'content-length': '1000',
    },
  });
  // It dies with the server.
  begun.on('error', () => undefined);
  begun.write('00');
  for (;;) {
    const state = JSON.parse(await readFile(join(directory, 'data/state.json'), 'utf8')) as State;
    if (state.pushes.length === 1) return;
  }
}

interface Server {
  readonly web: string;
  readonly tokens: Readonly<Record<string, string>>;
  as(person: string): Octokit;
  /** Resolves when all webhooks have been answered. */
  settled(): Promise<void>;
  killNow(): void;
  kill(): Promise<void>;
}

async function startServer(directory: string, receiver: Receiver): Promise<Server> {
  const script = new URL('./github-process.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    [script, directory, receiver.url, receiver.secret],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const readLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the server ended');
    return line.value;
  };
  const { web, api, tokens } = JSON.parse(await readLine()) as {
    web: string;
    api: string;
    tokens: Record<string, string>;
  };
  return {
    web,
    tokens,
    as: (person) => getOctokit(tokens[person]!, { baseUrl: api }),
    settled: async () => {
      child.stdin!.write('settle\n');
      expect(await readLine()).toBe('settled');
    },
    killNow: () => child.kill('SIGKILL'),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
