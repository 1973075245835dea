// Signing out with clients that hear of it in the browser, and the choice of an account, in a real Chromium: what the
// page's policy lets it load, and that it goes on by itself, with script and without.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import * as oidc from 'openid-client';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// listener is a relying party: it remembers what it was asked for, and answers its frame when it is let go.
async function listener() {
  const heard = [];
  let letGo;
  const go = new Promise((r) => { letGo = r; });
  const server = http.createServer(async (req, res) => {
    heard.push(req.url);
    if (req.url.startsWith('/frontchannel')) await go;
    res.setHeader('content-type', 'text/html; charset=utf-8');
    res.end('<!doctype html><title>RP</title><link rel="icon" href="data:,"><p>done');
  });
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  const base = `http://127.0.0.1:${server.address().port}`;
  return { base, heard, letGo, close: () => { server.closeAllConnections(); server.close(); } };
}

async function signIn(visitor, config, rp, person, extra = {}) {
  const { page } = visitor;
  const state = oidc.randomState(), nonce = oidc.randomNonce(), verifier = oidc.randomPKCECodeVerifier();
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${rp.base}/callback`, scope: 'openid', state, nonce, ...extra,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  await page.goto(address.href);
  const finish = async () => {
    await page.waitForURL(`${rp.base}/callback?**`);
    return oidc.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  };
  if (person) {
    await walk.rememberSMS(visitor);
    await walk.passwordStep(page, person);
    await page.waitForSelector('#otp');
    await walk.otpStep(page, await walk.readSMS(visitor));
  }
  return finish;
}

for (const [turn, script] of [true, false].entries()) {
  test(`a sign-out tells the clients in frames and goes on${script ? '' : ', no script'}`, async () => {
    const rp = await listener();
    const visitor = await walk.newVisitor(browser, { script, colorScheme: script ? 'dark' : 'light' });
    const { page } = visitor;
    try {
      const answer = await fetch(`${walk.SANDBOX}/api/v1/clients`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_name: 'Cổng có khung', consent: 'never', redirect_uris: [`${rp.base}/callback`],
          post_logout_redirect_uris: [`${rp.base}/bye`], frontchannel_logout_uri: `${rp.base}/frontchannel` }),
      });
      assert.equal(answer.status, 201);
      const { client_id: id, client_secret: secret } = await answer.json();
      const config = await oidc.discovery(new URL(walk.ISSUER), id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] });
      const tokens = await (await signIn(visitor, config, rp, walk.people[turn]))();

      // Whom this browser knows may stay, or somebody else may come.
      const finish = await signIn(visitor, config, rp, null, { prompt: 'select_account' });
      const keep = page.getByRole('button', { name: `Tiếp tục với ${walk.people[turn].name}` });
      await keep.waitFor();
      if (script) await wantNoBarrier(page);
      await walk.inspect(visitor, script ? 'account-dark' : undefined);
      await keep.click();
      const again = await finish();
      assert.equal(again.claims().sid, tokens.claims().sid);

      const end = oidc.buildEndSessionUrl(config, { id_token_hint: again.id_token, post_logout_redirect_uri: `${rp.base}/bye`, state: 'st' });
      await page.goto(end.href, { waitUntil: 'commit' });
      await page.getByRole('heading', { name: 'Bạn đã đăng xuất' }).waitFor();
      await page.getByRole('link', { name: 'Cổng có khung' }).waitFor(); // for who does not want to wait
      rp.letGo();
      await page.waitForURL(`${rp.base}/bye?state=st`);
      const frame = rp.heard.find((url) => url.startsWith('/frontchannel'));
      assert.ok(frame, `no frame was loaded: ${rp.heard}`);
      const query = new URL(frame, rp.base).searchParams;
      assert.equal(query.get('iss'), walk.ISSUER);
      assert.equal(query.get('sid'), tokens.claims().sid);
      assert.deepEqual(visitor.complaints, []);
    } finally {
      await visitor.context.close();
      rp.close();
    }
  });
}
