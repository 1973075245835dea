// A relying party by openid-client 6: discovery, state, nonce, PKCE, userinfo, sign-out.
import express from 'express';
import session from 'express-session';
import * as oidc from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, BASE, PORT, LIBRARY_DEFAULTS } = process.env;
const insecure = ISSUER.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : {};
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET), insecure);
if (!LIBRARY_DEFAULTS) oidc.enableNonRepudiationChecks(config); // the signature too
const app = express();
app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }));

app.get('/login', async (req, res) => {
  const verifier = oidc.randomPKCECodeVerifier();
  Object.assign(req.session, { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() });
  res.redirect(oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${BASE}/callback`, scope: 'openid profile', state: req.session.state, nonce: req.session.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).href);
});
app.get('/callback', async (req, res) => {
  const { verifier, state, nonce } = req.session;
  const tokens = await oidc.authorizationCodeGrant(config, new URL(req.url, BASE), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
  const who = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  req.session.regenerate(() => { req.session.name = who.name; req.session.idToken = tokens.id_token; res.redirect('/'); });
});
app.get('/logout', (req, res) => {
  const hint = req.session.idToken;
  req.session.destroy(() => res.redirect(oidc.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: `${BASE}/` }).href));
});
app.get('/', (req, res) => res.send(req.session.name ? `signed in: ${req.session.name}` : 'signed out'));
app.use((err, req, res, next) => { console.error(err); res.status(400).send('sign-in failed'); });
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
