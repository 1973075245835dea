// A relying party by passport-openidconnect: endpoints given by hand, no discovery, no JWKS.
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import Strategy from 'passport-openidconnect';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, BASE, PORT, LIBRARY_DEFAULTS } = process.env;
passport.use(new Strategy({
  issuer: ISSUER, authorizationURL: `${ISSUER}/authorize`, tokenURL: `${ISSUER}/oauth/token`, userInfoURL: `${ISSUER}/userinfo`,
  clientID: CLIENT_ID, clientSecret: CLIENT_SECRET, callbackURL: `${BASE}/callback`, scope: ['profile'], nonce: !LIBRARY_DEFAULTS, skipUserProfile: false,
}, (issuer, profile, done) => done(null, { name: profile.displayName })));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
const app = express();
app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }));
app.use(passport.initialize(), passport.session());

app.get('/login', passport.authenticate('openidconnect'));
app.get('/callback', passport.authenticate('openidconnect', { successRedirect: '/', failureRedirect: '/failed' }));
app.get('/', (req, res) => res.send(req.user ? `signed in: ${req.user.name}` : 'signed out'));
app.get('/failed', (req, res) => res.status(403).send('sign-in failed'));
app.use((err, req, res, next) => { console.error(err); res.status(400).send('sign-in failed'); });
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
