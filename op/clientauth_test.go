package op_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// keyPair is a client's key; the pairs of all tests are made once.
type keyPair struct {
	alg, kid string
	private  crypto.Signer
}

var keyPairs = sync.OnceValue(func() map[string]keyPair {
	must := func(s crypto.Signer, err error) crypto.Signer {
		if err != nil {
			panic(err)
		}
		return s
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	key := must(rsaKey, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec := must(ecKey, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	return map[string]keyPair{"RS256": {"RS256", "rsa", key}, "PS256": {"PS256", "rsa", key}, "ES256": {"ES256", "ec", ec},
		"EdDSA": {"EdDSA", "ed", ed}, "foreign": {"ES256", "ec", must(other, err)}, "next": {"ES256", "ec-next", must(other, err)}}
})

func publicSet(pairs ...keyPair) *vneid.JWKSet {
	set := &vneid.JWKSet{}
	for _, pair := range pairs {
		raw, err := json.Marshal(jose.JSONWebKey{Key: pair.private.Public(), KeyID: pair.kid, Use: "sig"})
		if err != nil {
			panic(err)
		}
		var member map[string]any
		if err := json.Unmarshal(raw, &member); err != nil {
			panic(err)
		}
		set.Keys = append(set.Keys, member)
	}
	return set
}

// assertion signs claims, "typ" and "kid" as given.
func assertion(t testing.TB, pair keyPair, typ, kid string, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if typ != "" {
		options = options.WithType(jose.ContentType(typ))
	}
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(pair.alg), Key: pair.private}, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claimsFor are those of a good assertion, changed; nil removes.
func (w *testWorld) claimsFor(client string, changes map[string]any) map[string]any {
	now := w.clock.Now()
	claims := map[string]any{"iss": client, "sub": client, "aud": w.url + "/oauth/token", "jti": vneid.NewID(rand.Reader),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func asserted(form url.Values, token string) url.Values {
	all := url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token}}
	for name, values := range form {
		all[name] = values
	}
	return all
}

var ownToken = url.Values{"grant_type": {"client_credentials"}}

func machineClient(id, method string) vneid.ClientMetadata {
	return vneid.ClientMetadata{ClientID: id, TokenEndpointAuthMethod: method, Consent: "never",
		GrantTypes: []string{vneid.GrantCode, vneid.GrantRefreshToken, vneid.GrantClientCredentials}}
}

func withKeys(id string, pairs ...keyPair) vneid.ClientMetadata {
	m := machineClient(id, vneid.AuthPrivateKeyJWT)
	m.JWKS = publicSet(pairs...)
	return m
}

func TestEveryAlgorithmAuthenticatesAClient(t *testing.T) {
	w := newWorld(t)
	keys := keyPairs()
	w.client(withKeys("keyed", keys["RS256"], keys["ES256"], keys["EdDSA"]))
	for _, alg := range vneid.SigningAlgs() {
		for _, kid := range []string{keys[alg].kid, ""} {
			token := assertion(t, keys[alg], "JWT", kid, w.claimsFor("keyed", nil))
			if a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, token)); a.StatusCode != 200 {
				t.Errorf("%s, kid %q: %s %s", alg, kid, a.Status, a.body)
			}
		}
	}
	code := w.browser().signIn(request("keyed"), an).param("code")
	token := assertion(t, keys["ES256"], "", "ec", w.claimsFor("keyed", nil))
	if a := w.browser().post(w.url+"/oauth/token", asserted(codeForm(code), token)); a.StatusCode != 200 || a.json(t)["id_token"] == nil {
		t.Errorf("for a code: %s %s", a.Status, a.body)
	}
}

func TestABadAssertionAuthenticatesNobody(t *testing.T) {
	w := newWorld(t)
	keys := keyPairs()
	w.client(withKeys("keyed", keys["RS256"], keys["ES256"]))
	w.client(withKeys("second", keys["EdDSA"]))
	picky := withKeys("picky", keys["RS256"], keys["ES256"])
	picky.AuthSigningAlg = "ES256"
	w.client(picky)
	encryption := withKeys("encryption", keys["ES256"])
	encryption.JWKS.Keys[0]["use"] = "enc"
	w.client(encryption)
	now := w.clock.Now()
	good := func(changes map[string]any) string {
		return assertion(t, keys["ES256"], "JWT", "ec", w.claimsFor("keyed", changes))
	}
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	valid := good(nil)
	parts := strings.Split(good(nil), ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	hmac := func() string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("keyed-secret-of-32-bytes-or-more.")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(w.claimsFor("keyed", nil)).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}()
	embedded := func() string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: keys["foreign"].private}, &jose.SignerOptions{EmbedJWK: true})
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(w.claimsFor("keyed", nil)).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}()
	for name, token := range map[string]string{
		"iss of another":              good(map[string]any{"iss": "second"}),
		"iss missing":                 good(map[string]any{"iss": nil}),
		"sub missing":                 good(map[string]any{"sub": nil}),
		"sub of another client":       good(map[string]any{"iss": "second", "sub": "second"}),
		"sub of nobody":               good(map[string]any{"iss": "nobody", "sub": "nobody"}),
		"sub of a client with secret": good(map[string]any{"iss": "basic", "sub": "basic"}),
		"aud missing":                 good(map[string]any{"aud": nil}),
		"aud empty":                   good(map[string]any{"aud": []string{}}),
		"aud of another provider":     good(map[string]any{"aud": "https://other.example"}),
		"aud ours and another's":      good(map[string]any{"aud": []string{w.url, "https://other.example"}}),
		"aud with a slash too many":   good(map[string]any{"aud": w.url + "/"}),
		"aud of another endpoint":     good(map[string]any{"aud": w.url + "/revoke"}),
		"exp missing":                 good(map[string]any{"exp": nil}),
		"exp past":                    good(map[string]any{"exp": at(-11 * time.Second)}),
		"exp a day ahead":             good(map[string]any{"exp": at(24 * time.Hour)}),
		"exp a text":                  good(map[string]any{"exp": "soon"}),
		"nbf a minute ahead":          good(map[string]any{"nbf": at(time.Minute)}),
		"iat a minute ahead":          good(map[string]any{"iat": at(time.Minute)}),
		"iat two hours ago":           good(map[string]any{"iat": at(-2 * time.Hour)}),
		"jti missing":                 good(map[string]any{"jti": nil}),
		"jti empty":                   good(map[string]any{"jti": ""}),
		"jti of a kilobyte":           good(map[string]any{"jti": strings.Repeat("j", 1024)}),
		"jti a number":                good(map[string]any{"jti": 7}),
		"signed by a foreign key":     assertion(t, keys["foreign"], "JWT", "ec", w.claimsFor("keyed", nil)),
		"foreign key, no kid":         assertion(t, keys["foreign"], "JWT", "", w.claimsFor("keyed", nil)),
		"foreign key in the header":   embedded,
		"unknown kid":                 assertion(t, keys["ES256"], "JWT", "nobody's", w.claimsFor("keyed", nil)),
		"kid of another of its keys":  assertion(t, keys["ES256"], "JWT", "rsa", w.claimsFor("keyed", nil)),
		"another alg than registered": assertion(t, keys["RS256"], "JWT", "rsa", w.claimsFor("picky", nil)),
		"a key for encryption":        assertion(t, keys["ES256"], "JWT", "ec", w.claimsFor("encryption", nil)),
		"typ of a logout token":       assertion(t, keys["ES256"], "logout+jwt", "ec", w.claimsFor("keyed", nil)),
		"typ of an access token":      assertion(t, keys["ES256"], "at+jwt", "ec", w.claimsFor("keyed", nil)),
		"alg none":                    unsigned + "." + parts[1] + ".",
		"alg none with a signature":   unsigned + "." + parts[1] + "." + parts[2],
		"HMAC":                        hmac,
		"signature cut off":           parts[0] + "." + parts[1] + ".",
		"signature of another":        parts[0] + "." + parts[1] + "." + strings.Split(valid, ".")[2],
		"two parts":                   parts[0] + "." + parts[1],
		"no JWT":                      "hello",
		"longer than 16 KiB":          good(map[string]any{"filler": strings.Repeat("x", 16<<10)}),
		"used before":                 valid,
	} {
		t.Run(name, func(t *testing.T) {
			if token == valid {
				if a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, valid)); a.StatusCode != 200 {
					t.Fatalf("for the first time: %s %s", a.Status, a.body)
				}
			}
			a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, token))
			if a.StatusCode != 401 || a.json(t)["error"] != "invalid_client" {
				t.Errorf("%s %s", a.Status, a.body)
			}
			if strings.Contains(w.log.String(), token) {
				t.Error("the assertion stands in the log")
			}
		})
	}
	for name, form := range map[string]url.Values{
		"with a secret too":       asserted(url.Values{"grant_type": {"client_credentials"}, "client_id": {"keyed"}, "client_secret": {"x"}}, good(nil)),
		"without its type":        {"grant_type": {"client_credentials"}, "client_assertion": {good(nil)}},
		"type without assertion":  {"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}},
		"type of SAML":            {"grant_type": {"client_credentials"}, "client_assertion": {good(nil)}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}},
		"assertion there twice":   {"grant_type": {"client_credentials"}, "client_assertion": {good(nil), good(nil)}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}},
		"client_id of another":    asserted(url.Values{"grant_type": {"client_credentials"}, "client_id": {"second"}}, good(nil)),
		"secret instead of a key": {"grant_type": {"client_credentials"}, "client_id": {"keyed"}, "client_secret": {"keyed-secret"}},
	} {
		if a := w.browser().post(w.url+"/oauth/token", form); a.StatusCode != 400 && a.StatusCode != 401 {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	if a := w.machine("/oauth/token", "keyed", ownToken); a.StatusCode != 401 {
		t.Errorf("Basic: %s", a.Status)
	}
	// What clocks and readers differ in is forgiven.
	for name, changes := range map[string]map[string]any{
		"aud is the issuer":        {"aud": w.url},
		"aud in a list":            {"aud": []string{w.url, w.url + "/oauth/token"}},
		"nbf 8 seconds ahead":      {"nbf": at(8 * time.Second)},
		"exp 5 seconds ago":        {"exp": at(-5 * time.Second)},
		"no iat":                   {"iat": nil},
		"a member nobody asked of": {"foo": map[string]any{"bar": 1}},
	} {
		if a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, good(changes))); a.StatusCode != 200 {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
}

func TestAJTIIsUniqueForEachClientOnly(t *testing.T) {
	w := newWorld(t)
	w.client(withKeys("keyed", keyPairs()["ES256"]))
	w.client(withKeys("second", keyPairs()["ES256"]))
	claims := w.claimsFor("keyed", nil)
	mine := assertion(t, keyPairs()["ES256"], "", "ec", claims)
	claims["iss"], claims["sub"] = "second", "second" // the same jti: it is unique for each client only
	theirs := assertion(t, keyPairs()["ES256"], "", "ec", claims)
	for _, token := range []string{mine, theirs} {
		if a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, token)); a.StatusCode != 200 {
			t.Errorf("%s %s", a.Status, a.body)
		}
	}
}

func TestIntrospectionAndRevocationTakeAssertions(t *testing.T) {
	w := newWorld(t)
	key := keyPairs()["ES256"]
	w.client(withKeys("keyed", key))
	sign := func(audience string) string {
		return assertion(t, key, "", "ec", w.claimsFor("keyed", map[string]any{"aud": audience}))
	}
	code := w.browser().signIn(request("keyed"), an).param("code")
	access := w.browser().post(w.url+"/oauth/token", asserted(codeForm(code), sign(w.url))).json(t)["access_token"].(string)
	look := func() any {
		return w.browser().post(w.url+"/oauth/introspect", asserted(url.Values{"token": {access}}, sign(w.url+"/oauth/introspect"))).json(t)["active"]
	}
	if look() != true {
		t.Error("introspection does not know the token")
	}
	if a := w.browser().post(w.url+"/revoke", asserted(url.Values{"token": {access}}, sign(w.url+"/revoke"))); a.StatusCode != 200 {
		t.Errorf("revocation: %s %s", a.Status, a.body)
	}
	if look() != false {
		t.Error("the token still lives")
	}
}

// keyServer is where a client publishes its keys.
type keyServer struct {
	*httptest.Server
	mu    sync.Mutex
	serve http.HandlerFunc
	asked atomic.Int32
}

func newKeyServer(t *testing.T, set *vneid.JWKSet) *keyServer {
	k := &keyServer{}
	k.publish(set)
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		k.mu.Lock()
		serve := k.serve
		k.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) answer(h http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serve = h
}

func (k *keyServer) publish(set *vneid.JWKSet) {
	k.answer(func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(set) })
}

func TestKeysOfAClientAreFetchedAgainForAnUnknownKid(t *testing.T) {
	w := newWorld(t)
	keys := keyPairs()
	server := newKeyServer(t, publicSet(keys["ES256"]))
	m := machineClient("remote", vneid.AuthPrivateKeyJWT)
	m.JWKSURI = server.URL + "/jwks"
	w.client(m)
	try := func(pair keyPair) int {
		token := assertion(t, pair, "", pair.kid, w.claimsFor("remote", nil))
		return w.browser().post(w.url+"/oauth/token", asserted(ownToken, token)).StatusCode
	}
	for range 3 {
		if got := try(keys["ES256"]); got != 200 {
			t.Fatal(got)
		}
	}
	if n := server.asked.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times for three assertions", n)
	}
	var racers sync.WaitGroup
	for range 50 {
		racers.Go(func() {
			if got := try(keys["next"]); got != 401 {
				t.Errorf("a key that is not published: %d", got)
			}
		})
	}
	racers.Wait()
	if n := server.asked.Load(); n > 3 {
		t.Errorf("the keys were fetched %d times for fifty unknown kids", n)
	}
	server.publish(publicSet(keys["next"]))
	w.pause()
	if got := try(keys["next"]); got != 200 {
		t.Errorf("after the client changed its key: %d", got)
	}
	if got := try(keys["ES256"]); got != 401 {
		t.Errorf("the old key: %d", got)
	}
}

func TestAKeyServerThatMisbehavesCostsASignInOnly(t *testing.T) {
	w := newWorld(t)
	key := keyPairs()["ES256"]
	secretPlace := newKeyServer(t, publicSet(key))
	for name, h := range map[string]http.HandlerFunc{
		"500":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, secretPlace.URL, http.StatusFound) },
		"no JSON":    func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"no keys":    func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) },
		"a megabyte": func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) },
		"rubbish in the keys": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"keys":[7,null,{"kty":"RSA"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"ec"}]}`))
		},
	} {
		server := newKeyServer(t, nil)
		server.answer(h)
		m := machineClient("remote", vneid.AuthPrivateKeyJWT)
		m.JWKSURI = server.URL
		w.client(m)
		token := assertion(t, key, "", "ec", w.claimsFor("remote", nil))
		if a := w.browser().post(w.url+"/oauth/token", asserted(ownToken, token)); a.StatusCode != 401 {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	if secretPlace.asked.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestPrivateOrWeakKeysAreNotRegistered(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(jose.JSONWebKey{Key: keyPairs()["ES256"].private, KeyID: "private"})
	var private map[string]any
	json.Unmarshal(raw, &private)
	for name, set := range map[string]*vneid.JWKSet{
		"none":     {},
		"private":  {Keys: []map[string]any{private}},
		"weak":     publicSet(keyPair{"RS256", "weak", weak}),
		"symmetry": {Keys: []map[string]any{{"kty": "oct"}}},
	} {
		m := withKeys("x")
		m.JWKS, m.RedirectURIs = set, []string{callback}
		if bad := m.Normalize(nil); bad["jwks"] == "" {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func TestAClientGetsATokenForItselfByEveryMethod(t *testing.T) {
	w := newWorld(t)
	key := keyPairs()["ES256"]
	w.client(machineClient("by-basic", vneid.AuthBasic))
	w.client(machineClient("by-post", vneid.AuthPost))
	w.client(withKeys("keyed", key))
	for name, a := range map[string]answer{
		"by-basic": w.machine("/oauth/token", "by-basic", ownToken),
		"by-post":  w.browser().post(w.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"by-post"}, "client_secret": {"by-post-secret"}}),
		"keyed":    w.browser().post(w.url+"/oauth/token", asserted(ownToken, assertion(t, key, "", "ec", w.claimsFor("keyed", nil)))),
	} {
		got := a.json(t)
		if a.StatusCode != 200 || got["token_type"] != "Bearer" || got["access_token"] == "" || got["id_token"] != nil || got["refresh_token"] != nil {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
			continue
		}
		req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
		req.Header.Set("Authorization", "Bearer "+got["access_token"].(string))
		if a := w.browser().do(req); a.StatusCode != 403 {
			t.Errorf("%s: nobody's userinfo: %s %s", name, a.Status, a.body)
		}
	}
	got := w.machine("/oauth/introspect", "by-basic", url.Values{"token": {w.machine("/oauth/token", "by-basic", ownToken).json(t)["access_token"].(string)}}).json(t)
	if got["active"] != true || got["sub"] != "by-basic" || got["auth_time"] != nil || got["acr"] != nil {
		t.Errorf("introspection: %v", got)
	}
	for name, form := range map[string]url.Values{"a person's scope": {"grant_type": {"client_credentials"}, "scope": {"openid profile"}}} {
		if a := w.machine("/oauth/token", "by-basic", form); a.StatusCode != 400 || a.json(t)["error"] != "invalid_scope" {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	if a := w.machine("/oauth/token", "basic", ownToken); a.StatusCode != 400 || a.json(t)["error"] != "unauthorized_client" {
		t.Errorf("not registered for it: %s %s", a.Status, a.body)
	}
}

func TestAnAccessTokenIsAJWTOnRequest(t *testing.T) {
	w := newWorld(t)
	m := machineClient("jwt", vneid.AuthBasic)
	m.AccessTokenFormat, m.IDTokenSignedAlg = vneid.AccessJWT, "ES256"
	w.client(m)
	code := w.browser().signIn(request("jwt", "scope", "openid profile offline_access"), an).param("code")
	tokens := w.token("jwt", codeForm(code)).json(t)
	access := tokens["access_token"].(string)
	parsed, err := jwt.ParseSigned(access, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(w.browser().get(w.url+"/keys").body), &set); err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(set.Key(parsed.Headers[0].KeyID)[0].Key, &claims); err != nil {
		t.Fatal(err)
	}
	if parsed.Headers[0].ExtraHeaders[jose.HeaderType] != "at+jwt" {
		t.Errorf("header: %v", parsed.Headers[0])
	}
	for name, want := range map[string]any{"iss": w.url, "aud": w.url, "client_id": "jwt", "scope": "openid profile offline_access", "acr": "LoA2", "sandbox": true} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	for _, name := range []string{"exp", "iat", "jti", "sub", "auth_time"} {
		if claims[name] == nil {
			t.Errorf("no %s (RFC 9068 §2.2)", name)
		}
	}
	userinfo := func(token string) int {
		req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		return w.browser().do(req).StatusCode
	}
	if got := userinfo(access); got != 200 {
		t.Errorf("userinfo: %d", got)
	}
	for name, token := range map[string]string{"its jti": claims["jti"].(string), "its handle": vneid.JWTHandle(claims["jti"].(string)),
		"the ID token": tokens["id_token"].(string), "another signature": access[:len(access)-4] + "AAAA"} {
		if got := userinfo(token); got != 401 {
			t.Errorf("%s opens userinfo: %d", name, got)
		}
	}
	if got := w.machine("/oauth/introspect", "jwt", url.Values{"token": {access}}).json(t); got["active"] != true {
		t.Errorf("introspection: %v", got)
	}
	again := w.token("jwt", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}).json(t)
	if got := userinfo(again["access_token"].(string)); got != 200 {
		t.Errorf("userinfo after a refresh: %d", got)
	}
	w.machine("/revoke", "jwt", url.Values{"token": {access}})
	if got := userinfo(access); got != 401 {
		t.Errorf("userinfo after revocation: %d", got)
	}
	// An access token is no ID token: it ends nobody's session and names nobody.
	if a := w.browser().authorize(request("jwt", "prompt", "none", "id_token_hint", access)); a.param("error") != "invalid_request" {
		t.Errorf("as id_token_hint: %s", a.Header.Get("Location"))
	}
}

func TestUserinfoIsSignedOnRequest(t *testing.T) {
	w := newWorld(t)
	m := machineClient("signed", vneid.AuthBasic)
	m.UserinfoSignedAlg = "PS256"
	w.client(m)
	code := w.browser().signIn(request("signed"), an).param("code")
	tokens := w.token("signed", codeForm(code)).json(t)
	req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	a := w.browser().do(req)
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/jwt" || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %v", a.Status, a.Header)
	}
	parsed, err := jwt.ParseSigned(a.body, []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(w.browser().get(w.url+"/keys").body), &set); err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(set.Key(parsed.Headers[0].KeyID)[0].Key, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != w.url || claims["aud"] != "signed" || claims["cccd"] != an || claims["sub"] == "" || claims["nonce"] != nil {
		t.Errorf("claims: %v", claims)
	}
	if again := w.browser().authorize(request("signed", "prompt", "none", "id_token_hint", a.body)); again.param("error") != "invalid_request" {
		t.Errorf("userinfo is no id_token_hint: %s", again.Header.Get("Location"))
	}
}

// pause lets the time pass between two fetches of a client's keys, which the
// clock of a world does not move.
func (w *testWorld) pause() {
	ctx, cancel := context.WithTimeout(context.Background(), 3100*time.Millisecond)
	defer cancel()
	<-ctx.Done()
}
