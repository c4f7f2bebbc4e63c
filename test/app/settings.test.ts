import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readSettings, settingVariables } from '../../app/settings.ts';

const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8'): string =>
  key.export({ type, format: 'pem' }).toString();
const rsa = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const [key, otherKey] = [rsa(), rsa()];
const privateKey = pem(key, 'pkcs8');
const complete = {
  APP_ID: '4242',
  PRIVATE_KEY: privateKey,
  WEBHOOK_SECRET: '0123456789abcdef',
  TRAINYARD_CONFIG: 'server.yml',
};

describe('readSettings', () => {
  it('fills in every default', () => {
    const settings = readSettings(complete);
    expect(settings.ok && settings.value).toMatchObject({
      appId: 4242,
      githubApiUrl: 'https://api.github.com',
      databaseUrl: undefined,
      googleEndpoint: undefined,
      host: '127.0.0.1',
      port: 3000,
      tickMs: 15_000,
    });
  });

  it.each([
    ['PEM text', privateKey],
    ['PEM with escaped line ends', privateKey.replaceAll('\n', '\\n')],
    ['base64', Buffer.from(privateKey).toString('base64')],
    ['the PEM text that GitHub gives', pem(key, 'pkcs1')],
  ])('takes a private key as %s', (_form, text) => {
    const settings = readSettings({ ...complete, PRIVATE_KEY: text });
    expect(settings.ok && settings.value.privateKey).toBe(privateKey.trim());
    expect(settings.ok && settings.value.otherPrivateKey).toBeUndefined();
    const changed = { PRIVATE_KEY: pem(otherKey, 'pkcs1'), TRAINYARD_OTHER_PRIVATE_KEY: text };
    const changing = readSettings({ ...complete, ...changed });
    expect(changing.ok && changing.value.otherPrivateKey).toBe(privateKey.trim());
  });

  it.each([
    ['the same key twice', 'TRAINYARD_OTHER_PRIVATE_KEY', privateKey],
    ['the same key in two forms', 'TRAINYARD_OTHER_PRIVATE_KEY', pem(key, 'pkcs1')],
    ['a token that signs deliveries', 'TRAINYARD_ADMIN_TOKEN', complete.WEBHOOK_SECRET],
    [
      'a key as GitHub has none',
      'PRIVATE_KEY',
      pem(generateKeyPairSync('ed25519').privateKey, 'pkcs8'),
    ],
  ])('refuses %s', (_what, name, text) => {
    const settings = readSettings({ ...complete, [name]: text });
    const problems = settings.ok ? [] : settings.problems;
    expect(problems).toEqual([expect.stringMatching(`^${name}`)]);
    expect(problems.join()).not.toContain(text);
  });

  it('names everything that is missing at once', () => {
    const settings = readSettings({});
    const problems = settings.ok ? [] : settings.problems;
    for (const name of ['APP_ID', 'PRIVATE_KEY', 'WEBHOOK_SECRET', 'TRAINYARD_CONFIG']) {
      expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
    }
  });

  it.each([
    { name: 'APP_ID', text: 'abc' },
    { name: 'APP_ID', text: '-7' },
    { name: 'PRIVATE_KEY', text: 'hunter2' },
    { name: 'TRAINYARD_OTHER_PRIVATE_KEY', text: 'hunter2' },
    { name: 'WEBHOOK_SECRET', text: 'development' },
    { name: 'GITHUB_API_URL', text: 'http://github.example/api/v3' },
    { name: 'GITHUB_API_URL', text: 'https://user:pw@github.example' },
    { name: 'DATABASE_URL', text: 'mysql://localhost/db' },
    { name: 'PORT', text: '70000' },
    { name: 'LOG_LEVEL', text: 'loud' },
    { name: 'TRAINYARD_TICK_MS', text: '-5' },
    { name: 'TRAINYARD_GOOGLE_ENDPOINT', text: 'http://10.0.0.1:80' },
    { name: 'TRAINYARD_GOOGLE_ENDPOINT', text: 'http://127.0.0.1.evil.example:80' },
    { name: 'TRAINYARD_GOOGLE_ENDPOINT', text: 'https://aiplatform.googleapis.com' },
  ])('refuses $name=$text without repeating it', ({ name, text }) => {
    const settings = readSettings({ ...complete, [name]: text });
    const problems = settings.ok ? [] : settings.problems;
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain(text);
  });

  it.each([
    ['https://api.github.com', false],
    ['https://github.example/api/v3', false],
    ['http://127.0.0.1:8080/api/v3', true],
  ])('takes a sandbox for Google beside %s: %s', (GITHUB_API_URL, ok) => {
    const sandbox = { TRAINYARD_GOOGLE_ENDPOINT: 'http://127.0.0.1:8081', GITHUB_API_URL };
    const settings = readSettings({ ...complete, ...sandbox });
    expect(settings.ok).toBe(ok);
    if (!settings.ok) expect(settings.problems.join()).toMatch(/^TRAINYARD_GOOGLE_ENDPOINT /);
  });

  it('has a description for every variable', () => {
    for (const { description } of Object.values(settingVariables)) {
      expect(description).toMatch(/^[A-Z`].*[.]$/);
    }
  });
});
