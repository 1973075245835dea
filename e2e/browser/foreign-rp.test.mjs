// Relying parties that are not ours: openid-client, an OpenID-certified library, signs in with a real callback server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import * as oidc from 'openid-client';
import * as walk from './walk.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// callbackServer is the relying party's own little web server, on any free port.
async function callbackServer() {
  let arrived;
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, base);
    if (url.pathname === '/callback') arrived?.(url);
    res.setHeader('content-type', 'text/html; charset=utf-8');
    res.end('<!doctype html><title>RP</title><link rel="icon" href="data:,"><p>done');
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const base = `http://127.0.0.1:${server.address().port}`;
  return {
    base,
    next: () => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came to the callback within 30 s')), 30_000);
      arrived = (url) => { clearTimeout(timer); resolve(url); };
    }),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

async function register(fields) {
  const res = await fetch(`${walk.SANDBOX}/api/v1/clients`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields),
  });
  assert.equal(res.status, 201, await res.clone().text());
  return res.json();
}

const plain = walk.ISSUER.startsWith('http:');
const discover = (id, auth) => oidc.discovery(new URL(walk.ISSUER), id, undefined, auth, { execute: plain ? [oidc.allowInsecureRequests] : [] });

// authorize takes a person through one authorization request and returns what the library makes of the answer.
async function authorize(visitor, config, rp, person, parameters = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${rp.base}/callback`, scope: 'openid profile phone cccd offline_access', state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  });
  const { page } = visitor;
  const answer = rp.next();
  answer.catch(() => {});
  await page.goto(url.href);
  if (person) {
    await walk.rememberSMS(visitor);
    await walk.passwordStep(page, person);
    await page.waitForSelector('#otp');
    await walk.otpStep(page, await walk.readSMS(visitor));
  }
  const share = page.getByRole('button', { name: 'Xác nhận chia sẻ' });
  await Promise.race([answer, share.waitFor({ timeout: 30_000 }).catch(() => {})]);
  if (!page.url().startsWith(rp.base)) {
    await walk.inspect(visitor, 'sharing-1280');
    await page.getByLabel('Tôi đã đọc và hiểu rõ nội dung mục đích').check();
    await share.click();
  }
  return oidc.authorizationCodeGrant(config, await answer, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
}

async function story(browser, make) {
  const rp = await callbackServer();
  const visitor = await walk.newVisitor(browser);
  try {
    await make(rp, visitor);
    assert.deepEqual(visitor.complaints, []);
  } finally {
    await visitor.context.close();
    rp.close();
  }
}

test('my-portal, on any port: discovery, PKCE, nonce, userinfo, refresh, introspection, revocation, sign-out', () => story(browser, async (rp, visitor) => {
  const [an] = walk.people;
  const config = await discover('my-portal', oidc.ClientSecretBasic('my-portal-secret'));
  const tokens = await authorize(visitor, config, rp, an);
  const claims = tokens.claims();
  assert.equal(claims.acr, 'LoA2');
  assert.equal(claims.sandbox, true);
  const who = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(who.name, an.name);
  assert.equal(who.cccd, an.cccd);

  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  assert.equal(fresh.claims().sub, claims.sub);
  assert.equal((await oidc.tokenIntrospection(config, fresh.access_token)).active, true);
  await oidc.tokenRevocation(config, fresh.access_token);
  assert.equal((await oidc.tokenIntrospection(config, fresh.access_token)).active, false);
  await assert.rejects(oidc.fetchUserInfo(config, fresh.access_token, claims.sub));

  await visitor.page.goto(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }).href);
  const confirm = visitor.page.getByRole('button', { name: 'Đăng xuất' });
  if (await confirm.count()) await confirm.click();
  await walk.inspect(visitor, 'signed-out-1280');
  await assert.rejects(authorize(visitor, config, rp, null, { prompt: 'none' }), (e) => e.error === 'login_required');
}));

test('a public client', () => story(browser, async (rp, visitor) => {
  const person = walk.people[1];
  const { client_id: id, client_secret: secret } = await register({
    client_name: 'Ứng dụng công khai', redirect_uris: [`${rp.base}/callback`], token_endpoint_auth_method: 'none', consent: 'always',
  });
  assert.equal(secret, undefined);
  const config = await discover(id, oidc.None());
  const tokens = await authorize(visitor, config, rp, person);
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).name, person.name);
}));

test('a client that posts its secret, signs out and comes back', () => story(browser, async (rp, visitor) => {
  const person = walk.people[2];
  const made = await register({
    client_name: 'Cổng gửi bí mật trong thân', redirect_uris: [`${rp.base}/callback`], post_logout_redirect_uris: [`${rp.base}/`],
    token_endpoint_auth_method: 'client_secret_post', consent: 'never',
  });
  const config = await discover(made.client_id, oidc.ClientSecretPost(made.client_secret));
  const tokens = await authorize(visitor, config, rp, person, { max_age: '600' });
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).birthdate, '1960');
  const again = await authorize(visitor, config, rp, null, { prompt: 'none' });
  assert.equal(again.claims().auth_time, tokens.claims().auth_time);
  await visitor.page.goto(oidc.buildEndSessionUrl(config, {
    id_token_hint: again.id_token, post_logout_redirect_uri: `${rp.base}/`, state: 'bye',
  }).href);
  const confirm = visitor.page.getByRole('button', { name: 'Đăng xuất' });
  if (await confirm.count()) await confirm.click();
  await visitor.page.waitForURL(`${rp.base}/?state=bye`);
}));

test('whoever does not want to share is reported as access_denied', () => story(browser, async (rp, visitor) => {
  const person = walk.people[3];
  const made = await register({ client_name: 'Cổng tò mò', redirect_uris: [`${rp.base}/callback`], consent: 'always' });
  const config = await discover(made.client_id, oidc.ClientSecretBasic(made.client_secret));
  const state = oidc.randomState();
  const answer = rp.next();
  await walk.rememberSMS(visitor);
  await visitor.page.goto(oidc.buildAuthorizationUrl(config, { redirect_uri: `${rp.base}/callback`, scope: 'openid profile', state }).href);
  await walk.passwordStep(visitor.page, person);
  await visitor.page.waitForSelector('#otp');
  await walk.otpStep(visitor.page, await walk.readSMS(visitor));
  await visitor.page.getByRole('button', { name: 'Không chia sẻ' }).click();
  await assert.rejects(oidc.authorizationCodeGrant(config, await answer, { expectedState: state }), (e) => e.error === 'access_denied');
}));
