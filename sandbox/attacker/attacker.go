// Package attacker is the other side of the relying party: issuers that attack
// it, and canaries that note who came to where nobody should come.
//
// Each attack is an issuer of its own, below the listener of --attack-listen,
// for a relying party that knows two issuers: /mix-up, /confused and /relay.
// Canaries are addresses that faults put into honest messages. It talks to
// relying parties and to browsers, which it sends to the provider or to a
// registered redirect URI and nowhere else. It calls nobody, redeems nothing
// that it is given, and never keeps a secret's value.
package attacker

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Config is what the attacker works with.
type Config struct {
	Scheme string // of the listener: http or https
	Store  vneid.Store
	Logger *slog.Logger
	Rand   vneid.Rand
	Book   *Book
	Key    Key
}

// Key is the attacker's. The provider never published it.
type Key struct {
	KID  string
	Set  func() []byte             // JWKS
	PEM  func() []byte             // a certificate that it made out to itself
	Sign func(input []byte) []byte // RS256
}

// attacks are the issuers, by their path, with the faults of the catalogue that
// they serve.
var attacks = map[string]string{
	"/mix-up":   "I01", // sends the browser on to the provider, and gets the code
	"/confused": "I02", // says that it is the provider
	"/relay":    "I03", // as /mix-up, with a nonce of its own
}

type attacker struct{ Config }

// New makes the handler of the listener. The world is in the context of each
// request.
func New(c Config) http.Handler {
	a := &attacker{c}
	mux := http.NewServeMux()
	mux.HandleFunc("/canary/{fault}/{what}", a.canary)
	for path, fault := range attacks {
		noted := func(what string, h http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				a.note(r, fault, what)
				h(w, r)
			}
		}
		mux.HandleFunc("GET "+path+"/.well-known/openid-configuration", noted("discovery", func(w http.ResponseWriter, r *http.Request) { a.discovery(w, r, path) }))
		mux.HandleFunc(path+"/keys", noted("jwks", a.keys))
		if path == "/confused" {
			mux.HandleFunc(path+"/authorize", noted("authorize", a.issueCode))
			mux.HandleFunc("POST "+path+"/oauth/token", noted("token", a.issueTokens))
			mux.HandleFunc(path+"/userinfo", noted("userinfo", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, victim()) }))
			continue
		}
		mux.HandleFunc(path+"/authorize", noted("authorize", func(w http.ResponseWriter, r *http.Request) { a.sendOn(w, r, path == "/relay") }))
		mux.HandleFunc(path+"/oauth/token", noted("token", refused))
		mux.HandleFunc(path+"/userinfo", noted("userinfo", refused))
	}
	mux.HandleFunc("GET /{$}", a.about)
	return mux
}

func (a *attacker) note(r *http.Request, fault, what string) {
	h := hitOf(r, fault, what)
	a.Book.add(h)
	a.Logger.WarnContext(r.Context(), "the attacker was called", "world", h.world, "fault", h.Fault, "what", h.What, "client_id", h.ClientID, "carried", h.Carried)
}

// here is the attacker's address in the world of a request, by the name that it
// was called by: a container knows another one than the machine around it.
func (a *attacker) here(r *http.Request) string {
	return a.Scheme + "://" + r.Host + vneid.WorldFrom(r.Context()).Path
}

// canary notes whoever comes, and gives what somebody who came would want.
func (a *attacker) canary(w http.ResponseWriter, r *http.Request) {
	what := clip(r.PathValue("what"), 40)
	a.note(r, clip(r.PathValue("fault"), 8), what)
	switch what {
	case "jku", "jwk", "jwks":
		a.keys(w, r)
	case "x5u":
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(a.Key.PEM()) // whoever asked may be gone
	case "picture":
		w.Header().Set("Content-Type", "image/gif")
		_, _ = w.Write(pixel)
	default:
		refused(w, r)
	}
}

// pixel is the smallest picture.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

func (a *attacker) keys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.Key.Set())
}

func (a *attacker) discovery(w http.ResponseWriter, r *http.Request, path string) {
	own := a.here(r) + path
	issuer := own
	if path == "/confused" {
		issuer = vneid.WorldFrom(r.Context()).Issuer // OIDC Discovery §4.3: the relying party has to compare
	}
	answer(w, http.StatusOK, map[string]any{
		"issuer": issuer, "authorization_endpoint": own + "/authorize", "token_endpoint": own + "/oauth/token",
		"userinfo_endpoint": own + "/userinfo", "jwks_uri": own + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":      []string{"S256"},
	})
}

// sendOn sends the browser to the provider with the relying party's own request:
// the answer comes back to a relying party that began it with the attacker
// (RFC 9700 §4.4).
func (a *attacker) sendOn(w http.ResponseWriter, r *http.Request, ownNonce bool) {
	if !readForm(w, r) {
		return
	}
	if ownNonce {
		r.Form.Set("nonce", vneid.NewSecret(a.Rand))
	}
	w.Header().Set("Location", vneid.WorldFrom(r.Context()).Front()+"/authorize?"+r.Form.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// code is what the confused issuer has to know again.
type code struct {
	Client string `json:"c"`
	Nonce  string `json:"n,omitempty"`
}

// issueCode sends the browser back at once: whoever it is, the attacker says who.
func (a *attacker) issueCode(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	world, to := vneid.WorldFrom(r.Context()), r.Form.Get("redirect_uri")
	registered := false
	err := a.Store.View(r.Context(), world.ID, func(tx vneid.Tx) error {
		c, err := tx.Client(r.Form.Get("client_id"))
		if err == nil {
			registered = c.MatchRedirectURI(to)
		}
		return err
	})
	if err != nil || !registered {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": "no client of this world with this redirect_uri"})
		return
	}
	raw, err := json.Marshal(code{r.Form.Get("client_id"), r.Form.Get("nonce")})
	if err != nil {
		panic("attacker: " + err.Error()) // two strings
	}
	q := url.Values{"code": {base64.RawURLEncoding.EncodeToString(raw)}, "iss": {world.Issuer}}
	if state := r.Form.Get("state"); state != "" {
		q.Set("state", state)
	}
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	w.Header().Set("Location", to+separator+q.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// issueTokens gives an ID token in the provider's name, signed by the attacker.
func (a *attacker) issueTokens(w http.ResponseWriter, r *http.Request) {
	var c code
	raw, err := base64.RawURLEncoding.DecodeString(r.Form.Get("code"))
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Client == "" {
		refused(w, r)
		return
	}
	world := vneid.WorldFrom(r.Context())
	now := world.Clock.Now()
	claims := victim()
	claims["iss"], claims["aud"] = world.Issuer, c.Client
	claims["iat"], claims["auth_time"], claims["exp"] = now.Unix(), now.Unix(), now.Add(5*time.Minute).Unix()
	if c.Nonce != "" {
		claims["nonce"] = c.Nonce
	}
	answer(w, http.StatusOK, map[string]any{"access_token": vneid.NewSecret(a.Rand), "token_type": "Bearer", "expires_in": 300, "id_token": a.sign(claims)})
}

// victim is who the attacker says has signed in.
func victim() map[string]any {
	return map[string]any{"sub": "whoever-the-attacker-wants", "name": "Nạn Nhân Của Kẻ Tấn Công", "cccd": "038090000001"}
}

func (a *attacker) sign(claims map[string]any) string {
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic("attacker: " + err.Error()) // strings and numbers
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	input := part(map[string]string{"alg": "RS256", "kid": a.Key.KID, "typ": "JWT"}) + "." + part(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(a.Key.Sign([]byte(input)))
}

// refused is all that whoever came gets for what it brought.
func refused(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "this is the attacker of the sandbox: nothing that came here is used"})
}

func (a *attacker) about(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT\n\n" +
		"Đây là kẻ tấn công của sandbox: khai báo một trong các issuer dưới đây làm nhà cung cấp thứ hai của cổng (docs/attacker.md).\n" +
		"This is the sandbox's attacker: enter one of these issuers as a second provider of your portal (docs/attacker.md).\n\n" +
		"I01  " + a.here(r) + "/mix-up\nI02  " + a.here(r) + "/confused\nI03  " + a.here(r) + "/relay\n"))
}

func readForm(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": "the parameters cannot be read"})
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // whoever asked may be gone
}
