package main

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// fakeOP is a small OpenID provider that signs everybody in at once and can be
// made to lie. It checks what an honest provider checks of a portal: client,
// secret, redirect URI, PKCE, one-time codes.
type fakeOP struct {
	t   *testing.T
	srv *httptest.Server
	now func() time.Time
	key *ecdsa.PrivateKey

	mu        sync.Mutex
	codes     map[string]url.Values // code → the authorization request
	people    map[string]*citizen   // code, then access token → who signed in, when not the usual one
	who       *citizen              // who signs in next
	authorize url.Values            // the last one
	signedOut url.Values            // the last sign-out
	tokens    int                   // calls of the token endpoint

	// How it lies. Each is nil or zero in an honest provider.
	down      bool
	noPKCE    bool // takes a code without a verifier
	discovery map[string]any
	answer    func(url.Values)
	idToken   func(map[string]any)
	signWith  *ecdsa.PrivateKey
	keysDown  bool
	keyUse    string // of the key set, "" = sig
	token     func(map[string]any)
	tokenHTTP func(http.ResponseWriter)
	userinfo  func(map[string]any)
	infoHTTP  func(http.ResponseWriter)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newFakeOP(t *testing.T, now func() time.Time) *fakeOP {
	op := newStoppedOP(t, now)
	op.srv.Start()
	return op
}

// newStoppedOP is a provider that does not listen yet.
func newStoppedOP(t *testing.T, now func() time.Time) *fakeOP {
	op := &fakeOP{t: t, now: now, key: newKey(t), codes: map[string]url.Values{}, people: map[string]*citizen{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", op.serveDiscovery)
	mux.HandleFunc("GET /keys", op.serveKeys)
	mux.HandleFunc("GET /authorize", op.serveAuthorize)
	mux.HandleFunc("POST /oauth/token", op.serveToken)
	mux.HandleFunc("GET /userinfo", op.serveUserinfo)
	mux.HandleFunc("GET /end_session", op.serveEndSession)
	op.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op.mu.Lock()
		defer op.mu.Unlock()
		if op.down {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(op.srv.Close)
	return op
}

// lie changes the provider between requests.
func (op *fakeOP) lie(change func()) {
	op.mu.Lock()
	defer op.mu.Unlock()
	change()
}

func (op *fakeOP) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer": op.srv.URL, "authorization_endpoint": op.srv.URL + "/authorize", "token_endpoint": op.srv.URL + "/oauth/token",
		"jwks_uri": op.srv.URL + "/keys", "userinfo_endpoint": op.srv.URL + "/userinfo", "end_session_endpoint": op.srv.URL + "/end_session",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "authorization_response_iss_parameter_supported": true,
	}
	maps.Copy(doc, op.discovery)
	writeJSON(w, doc)
}

func (op *fakeOP) serveKeys(w http.ResponseWriter, _ *http.Request) {
	if op.keysDown {
		w.WriteHeader(http.StatusInternalServerError)
	}
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: op.key.Public(), KeyID: "k1", Algorithm: "ES256", Use: cmp.Or(op.keyUse, "sig")}}})
}

func (op *fakeOP) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	op.authorize = q
	code := "code+/=~" + secret()
	op.codes[code] = q
	if c := op.who; c != nil {
		op.people[code] = c
	}
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {op.srv.URL}}
	if op.answer != nil {
		op.answer(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (op *fakeOP) serveToken(w http.ResponseWriter, r *http.Request) {
	op.tokens++
	if op.tokenHTTP != nil {
		op.tokenHTTP(w)
		return
	}
	id, pass, _ := r.BasicAuth()
	asked, known := op.codes[r.FormValue("code")]
	delete(op.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != "thanhhoa-portal" || pass != "thanhhoa-portal-secret":
		w.WriteHeader(http.StatusUnauthorized)
		writeJSON(w, map[string]any{"error": "invalid_client"})
		return
	case !known || asked.Get("redirect_uri") != r.FormValue("redirect_uri"),
		!op.noPKCE && (asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("code_challenge_method") != "S256"):
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]any{"error": "invalid_grant", "error_description": "secret body text"})
		return
	}
	who, access := op.people[r.FormValue("code")], "access-token-1"
	if who != nil {
		access += secret()
		op.people[access] = who
	}
	hash := sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": op.srv.URL, "sub": "pairwise-1", "aud": "thanhhoa-portal", "nonce": asked.Get("nonce"), "sid": "s1",
		"iat": op.now().Unix(), "exp": op.now().Add(5 * time.Minute).Unix(), "auth_time": op.now().Unix(),
		"acr": "LoA2", "amr": []string{"pwd", "otp", "sms", "mfa"}, "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	}
	if who != nil {
		maps.Copy(claims, who.idToken(op.now()))
	}
	if op.idToken != nil {
		op.idToken(claims)
	}
	resp := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 1800, "id_token": op.sign(claims)}
	if op.token != nil {
		op.token(resp)
	}
	writeJSON(w, resp)
}

func (op *fakeOP) sign(claims map[string]any) string { return op.signAs("JWT", claims) }

func (op *fakeOP) signAs(typ string, claims map[string]any) string {
	key := op.key
	if op.signWith != nil {
		key = op.signWith
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		op.t.Error(err)
		return ""
	}
	b, err := json.Marshal(claims)
	if err != nil {
		op.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(b)
	if err != nil {
		op.t.Error(err)
		return ""
	}
	s, err := signed.CompactSerialize()
	if err != nil {
		op.t.Error(err)
	}
	return s
}

func (op *fakeOP) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	if op.infoHTTP != nil {
		op.infoHTTP(w)
		return
	}
	access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	who := op.people[access]
	if access != "access-token-1" && who == nil || r.URL.RawQuery != "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := map[string]any{
		"sub": "pairwise-1", "name": "Nguyễn Văn An", "birthdate": "1990-03-15", "gender": "male",
		"phone_number": "+84950000001", "phone_number_verified": true, "email": "an@example.test", "email_verified": true,
		"address": map[string]any{"locality": "Phường Hạc Thành", "region": "Tỉnh Thanh Hóa"},
		"cccd":    "038090000001", "account_level": "2", "account_type": "citizen", "sandbox": true,
	}
	if who != nil {
		claims = who.userinfo()
	}
	if op.userinfo != nil {
		op.userinfo(claims)
	}
	writeJSON(w, claims)
}

func (op *fakeOP) serveEndSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	op.signedOut = q
	http.Redirect(w, r, q.Get("post_logout_redirect_uri")+"?state="+url.QueryEscape(q.Get("state")), http.StatusFound)
}

func writeJSON(w http.ResponseWriter, v any) {
	json.NewEncoder(w).Encode(v)
}
