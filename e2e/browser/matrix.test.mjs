// openid-client against every signing algorithm, with form_post through a real browser, and every way of client
// authentication. That every combination works is tested without a browser beside the provider.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import * as oidc from 'openid-client';
import * as walk from './walk.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// callbackServer gives what arrives by query or by form_post to the library as it came.
async function callbackServer() {
  let arrived;
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      if (req.url.startsWith('/callback')) {
        const body = Buffer.concat(chunks).toString();
        arrived?.(new Request(base + req.url, { method: req.method, headers: { 'content-type': req.headers['content-type'] ?? '' }, body: req.method === 'POST' ? body : undefined }));
      }
      res.setHeader('content-type', 'text/html; charset=utf-8');
      res.end('<!doctype html><title>RP</title><link rel="icon" href="data:,"><p>done');
    });
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const base = `http://127.0.0.1:${server.address().port}`;
  return {
    base,
    next: () => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came to the callback within 10 s')), 10_000);
      arrived = (request) => { clearTimeout(timer); resolve(request); };
    }),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

const methods = {
  client_secret_basic: (secret) => oidc.ClientSecretBasic(secret),
  client_secret_post: (secret) => oidc.ClientSecretPost(secret),
  none: () => oidc.None(),
};
// Each algorithm once, each method once and form_post with each; query and fragment beside it.
const stories = [
  { alg: 'RS256', method: 'client_secret_basic', mode: 'form_post', script: true },
  { alg: 'ES256', method: 'client_secret_post', mode: 'form_post', script: false },
  { alg: 'PS256', method: 'none', mode: 'form_post', script: true },
  { alg: 'EdDSA', method: 'client_secret_basic', mode: 'query', script: true },
  { alg: 'EdDSA', method: 'none', mode: 'fragment', script: true },
];

for (const [turn, { alg, method, mode, script }] of stories.entries()) {
  test(`${alg}, ${method}, ${mode}${script ? '' : ', no script'}`, async () => {
    const person = walk.people[turn];
    const rp = await callbackServer();
    const visitor = await walk.newVisitor(browser, { script });
    const { page } = visitor;
    try {
      const redirect_uri = `${rp.base}/callback`;
      const res = await fetch(`${walk.SANDBOX}/api/v1/clients`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_name: `Cổng ${alg}`, redirect_uris: [redirect_uri], consent: 'never', token_endpoint_auth_method: method, id_token_signed_response_alg: alg }),
      });
      assert.equal(res.status, 201, await res.clone().text());
      const made = await res.json();
      const config = await oidc.discovery(new URL(walk.ISSUER), made.client_id, { id_token_signed_response_alg: alg }, methods[method](made.client_secret), { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] });
      const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
      const answer = rp.next();
      answer.catch(() => {});
      await walk.rememberSMS(visitor);
      await page.goto(oidc.buildAuthorizationUrl(config, {
        redirect_uri, scope: 'openid profile cccd offline_access', state, nonce, response_mode: mode,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      }).href);
      await walk.passwordStep(page, person);
      await page.waitForSelector('#otp');
      await walk.otpStep(page, await walk.readSMS(visitor));
      if (!script && mode === 'form_post') await page.locator(`form[action="${redirect_uri}"] button`).click();
      let came = await answer;
      assert.equal(came.method, mode === 'form_post' ? 'POST' : 'GET');
      if (mode === 'fragment') { // servers see no fragment: the page would hand it over
        assert.equal(new URL(came.url).search, '');
        await page.waitForURL(`${redirect_uri}#**`);
        came = new URL(page.url().replace('#', '?'));
      }
      const tokens = await oidc.authorizationCodeGrant(config, came, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
      assert.equal(JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url')).alg, alg);
      const claims = tokens.claims();
      assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)).cccd, person.cccd);
      const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
      assert.equal(fresh.claims().sub, claims.sub);
      await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), (e) => e.error === 'invalid_grant');
      assert.deepEqual(visitor.complaints, []);
    } finally {
      await visitor.context.close();
      rp.close();
    }
  });
}
