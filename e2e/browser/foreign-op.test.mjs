// A provider that is not ours: oidc-provider, an OpenID-certified library. The portal signs people in with it, links an
// old account, steps up, and hears its back-channel logout. What the portal needs is the standard and nothing of ours.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import Provider from 'oidc-provider';
import * as walk from './walk.mjs';

const freePort = () => new Promise((resolve) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

let browser, server, portal, dir, PORTAL;
const told = []; // what the provider's back-channel logout came to
before(async () => {
  browser = await walk.launch();
  dir = await mkdtemp(path.join(os.tmpdir(), 'foreign-op-'));
  const [there, here] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${there}`;
  PORTAL = `http://127.0.0.1:${here}`;
  const person = { name: 'Lê Thị Bình', birthdate: '1990-07-02', gender: 'female', cccd: '038190000002', account_level: '2', account_type: 'citizen' };
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'foreign', client_secret: 'foreign-secret', redirect_uris: [`${PORTAL}/callback`], post_logout_redirect_uris: [`${PORTAL}/`],
      backchannel_logout_uri: `${PORTAL}/backchannel-logout`, backchannel_logout_session_required: true, subject_type: 'pairwise',
    }],
    pairwiseIdentifier: (_, id, client) => `pair-${client.clientId}-${id}`, subjectTypes: ['pairwise'],
    claims: { openid: ['sub'], profile: ['name', 'birthdate', 'gender'], phone: ['phone_number'], email: ['email'], address: ['address'], cccd: ['cccd', 'account_level', 'account_type'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...person }) }),
    acrValues: ['LoA1', 'LoA2'], cookies: { keys: ['a test'] }, features: { backchannelLogout: { enabled: true } },
  });
  provider.on('backchannel.success', () => told.push('success'));
  provider.on('backchannel.error', (_, err) => told.push(`error: ${err.message}`));
  server = http.createServer(provider.callback()).listen(there, 'localhost');
  portal = spawn(process.env.PORTAL_BIN, [], { cwd: dir, stdio: 'inherit', env: { ...process.env, PORTAL_LISTEN: `127.0.0.1:${here}`, PORTAL_URL: PORTAL, PORTAL_ISSUER: issuer,
    PORTAL_CLIENT_ID: 'foreign', PORTAL_CLIENT_SECRET: 'foreign-secret', PORTAL_DANCU_URL: 'http://127.0.0.1:1', PORTAL_DATABASE: `sqlite:${dir}/portal.db` } });
  for (let i = 0; i < 100; i++) {
    if (await fetch(`${PORTAL}/healthz`).then((r) => r.ok, () => false)) return;
    await new Promise((r) => setTimeout(r, 50));
  }
  assert.fail('the portal is not ready after 5 s');
});
after(async () => {
  const ended = portal && new Promise((r) => portal.once('exit', r));
  portal?.kill();
  await ended;
  server?.closeAllConnections();
  server?.close();
  await browser?.close();
  if (dir) await rm(dir, { recursive: true });
});

test('the portal with a foreign provider: sign-in, linking, logout from afar', async () => {
  const context = await browser.newContext({ locale: 'vi-VN' });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const body = async () => (await page.locator('body').innerText()).normalize();
  const session = async () => (await context.cookies(PORTAL)).find((c) => c.name === 'portal_session');
  try {
    await page.goto(`${PORTAL}/login/vneid?next=%2Fdossiers`);
    await page.locator('[name=login]').fill('binh');
    await page.locator('[name=password]').fill('anything');
    await page.locator('button[type=submit]').click();
    await page.locator('button[type=submit]').click(); // its consent page
    await page.waitForURL(`${PORTAL}/**`);
    assert.equal(new URL(page.url()).pathname, '/link', await body());
    await page.locator('#password').fill('Portal@2024');
    await page.locator('button[value=update]').click();
    assert.equal(new URL(page.url()).pathname, '/dossiers');
    assert.match(await body(), /Cấp bản sao văn bằng/);
    await page.goto(`${PORTAL}/profile`);
    assert.match(await body(), /038\*{6}002/);

    // A procedure that demands LoA2: this provider performs no levels, so the portal explains and lets nobody through.
    await page.goto(`${PORTAL}/procedures/9.000604/apply`);
    assert.equal(await page.locator('#step-up').count(), 1);

    // The same person twice at the portal, once at the provider: signing out of one session ends the other from afar.
    const first = await session();
    await context.clearCookies({ domain: '127.0.0.1' });
    await page.goto(`${PORTAL}/login/vneid`);
    await page.waitForURL(`${PORTAL}/**`);
    assert.match(await body(), /Lê Thị Bình/);
    const alive = () => fetch(`${PORTAL}/profile`, { headers: { cookie: `portal_session=${first.value}` }, redirect: 'manual' }).then((r) => r.status);
    assert.equal(await alive(), 200);
    await walk.control(page, walk.words.vi.signOut).click();
    await page.locator('button[name=logout]').click(); // the provider asks
    await page.waitForURL(`${PORTAL}/**`);
    for (let i = 0; i < 60 && told.length === 0; i++) await new Promise((r) => setTimeout(r, 50));
    assert.deepEqual(told, ['success']);
    assert.equal(await alive(), 303, 'the other session is still signed in');
  } finally {
    await context.close();
  }
});
