package sandboxtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// World is what a relying party sees of a sandbox, and the hands of the tester
// in it.
type World struct {
	Issuer string
	Clock  Clock

	t     TB
	http  *http.Client
	api   string // …/api/v1, or that of a world
	token string // bearer token of the API, "" = none asked for
}

// NewWorld makes a world of its own in the sandbox: other people's sign-ins,
// phones, clock and clients do not show there. It goes with the sandbox.
func (s *Sandbox) NewWorld() *World {
	s.t.Helper()
	var made struct{ Issuer, API, Token string }
	s.Call(http.MethodPost, "/worlds", struct{}{}, &made)
	w := &World{Issuer: made.Issuer, t: s.t, http: s.http, api: made.API, token: made.Token}
	w.Clock = Clock{w}
	return w
}

// For is the world as another test sees it: what fails ends that test.
func (w *World) For(t TB) *World {
	copied := *w
	copied.t = t
	copied.Clock = Clock{&copied}
	return &copied
}

// trusting is an HTTP client that knows the sandbox's own CA, where it has one.
func trusting(t TB, c sandbox.Config) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}
	if pem, err := os.ReadFile(filepath.Join(c.Data, "ca.pem")); err == nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// HTTPClient reaches the sandbox, by https too: give it to the relying party
// (go-oidc: oidc.ClientContext).
func (w *World) HTTPClient() *http.Client { return w.http }

// Call calls a route of the automation API ("GET", "/sms?to=0950000001", nil),
// for whatever has no method here. body is sent as JSON, the answer read into
// answer; both may be nil. An error status ends the test with what it says.
func (w *World) Call(method, path string, body, answer any) {
	w.t.Helper()
	if status, text := w.call(method, path, body, answer); status >= 300 {
		w.t.Fatalf("sandboxtest: %s %s: %d %s", method, path, status, text)
	}
}

func (w *World) call(method, path string, body, answer any) (status int, text string) {
	w.t.Helper()
	var sent io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatalf("sandboxtest: %s %s: %v", method, path, err)
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.api+path, sent)
	if err != nil {
		w.t.Fatalf("sandboxtest: %v", err)
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatalf("sandboxtest: %s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode < 300 && answer != nil {
		err = json.Unmarshal(raw, answer)
	}
	if err != nil {
		w.t.Fatalf("sandboxtest: %s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(raw)
}

// Client is a relying party to register, by the names of RFC 7591 and
// docs/api.md. Empty fields get their defaults.
type Client struct {
	ClientID                string   `json:"client_id,omitempty"`
	ClientSecret            string   `json:"-"` // set by Register
	ClientName              string   `json:"client_name,omitempty"`
	RedirectURIs            []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs  []string `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI    string   `json:"backchannel_logout_uri,omitempty"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	Scope                   string   `json:"scope,omitempty"`
	SubjectType             string   `json:"subject_type,omitempty"`
	IDTokenSignedAlg        string   `json:"id_token_signed_response_alg,omitempty"`
	Consent                 string   `json:"consent,omitempty"`
	RequirePKCE             *bool    `json:"require_pkce,omitempty"`
	IDTokenClaims           []string `json:"id_token_claims,omitempty"`
	MinAccountLevel         int      `json:"min_account_level,omitempty"`
}

// Register registers a client and returns it with its id and secret.
func (w *World) Register(c Client) Client {
	w.t.Helper()
	var made struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	w.Call(http.MethodPost, "/clients", c, &made)
	c.ClientID, c.ClientSecret = made.ClientID, made.ClientSecret
	return c
}

// SMS is a message as it arrived.
type SMS struct {
	To     string    `json:"to"`
	Text   string    `json:"text"`
	OTP    string    `json:"otp"`
	Login  string    `json:"login"`
	SentAt time.Time `json:"sent_at"`
}

// SMSTo lists the messages to a person, by CCCD, or to a phone number; the
// newest first.
func (w *World) SMSTo(who string) (list []SMS) {
	w.t.Helper()
	w.Call(http.MethodGet, "/sms?to="+url.QueryEscape(w.numberOf(who)), nil, &list)
	return list
}

// LastOTP is the newest one-time password of a person, by CCCD, or of a phone
// number; it waits up to ten seconds for the first message.
func (w *World) LastOTP(who string) string {
	w.t.Helper()
	var list []SMS
	w.Call(http.MethodGet, "/sms?wait=10s&to="+url.QueryEscape(w.numberOf(who)), nil, &list)
	for _, m := range list {
		if m.OTP != "" {
			return m.OTP
		}
	}
	w.t.Fatalf("sandboxtest: no one-time password for %s in %d messages", who, len(list))
	return ""
}

// numberOf is the phone number of a person; a phone number stays as it is.
func (w *World) numberOf(who string) string {
	w.t.Helper()
	if len(who) != 12 || strings.HasPrefix(who, "+") {
		return who
	}
	var persona struct{ Phone string }
	w.Call(http.MethodGet, "/personas/"+url.PathEscape(who), nil, &persona)
	if persona.Phone == "" {
		w.t.Fatalf("sandboxtest: %s has no phone number", who)
	}
	return persona.Phone
}

// Phone is a person's phone. A ready one is there for whoever has none.
func (w *World) Phone(cccd string) *Phone { return &Phone{w, cccd} }

// Phone acts for its person.
type Phone struct {
	world *World
	cccd  string
}

// Scanned is what the phone shows after it scanned a code.
type Scanned struct {
	Login      string `json:"login"`
	ClientID   string `json:"client_id"`
	ClientName string `json:"client_name"`
	Host       string `json:"host"`
	Browser    string `json:"browser"`
	Allowed    bool   `json:"allowed"` // false while "Đăng nhập trên website" is off
	Message    string `json:"message"` // why not, in Vietnamese
}

func (p *Phone) path(what string) string {
	return "/phones/" + url.PathEscape(p.cccd) + what
}

// Scan scans a QR code: the address it says, or the short code beside it.
func (p *Phone) Scan(code string) (s Scanned) {
	p.world.t.Helper()
	p.world.Call(http.MethodPost, p.path("/scan"), map[string]string{"code": code}, &s)
	return s
}

// Confirm confirms a sign-in that this phone scanned, with its passcode.
func (p *Phone) Confirm(login string) {
	p.world.t.Helper()
	p.world.Call(http.MethodPost, p.path("/confirm"), map[string]string{"login": login, "passcode": Passcode}, nil)
}

// Refuse refuses it.
func (p *Phone) Refuse(login string) {
	p.world.t.Helper()
	p.world.Call(http.MethodPost, p.path("/refuse"), map[string]string{"login": login}, nil)
}

// AllowWebLogin turns "Đăng nhập trên website" on or off.
func (p *Phone) AllowWebLogin(on bool) {
	p.world.t.Helper()
	p.world.Call(http.MethodPatch, p.path(""), map[string]bool{"web_login": on}, nil)
}

// Clock is the clock of a world, by which everything in it expires.
type Clock struct{ world *World }

// Now is what it shows.
func (c Clock) Now() time.Time {
	c.world.t.Helper()
	return c.set(http.MethodGet, nil)
}

// Advance moves it on.
func (c Clock) Advance(by time.Duration) time.Time {
	c.world.t.Helper()
	return c.set(http.MethodPost, map[string]any{"advance": by.String()})
}

// Set sets it.
func (c Clock) Set(to time.Time) time.Time {
	c.world.t.Helper()
	return c.set(http.MethodPost, map[string]any{"set": to.Format(time.RFC3339)})
}

// Reset takes it back to real time.
func (c Clock) Reset() time.Time {
	c.world.t.Helper()
	return c.set(http.MethodPost, map[string]any{"reset": true})
}

func (c Clock) set(method string, body any) time.Time {
	c.world.t.Helper()
	var answer struct{ Now time.Time }
	c.world.Call(method, "/clock", body, &answer)
	return answer.Now
}

// Reset takes the world back to its seed.
func (w *World) Reset() {
	w.t.Helper()
	w.Call(http.MethodPost, "/reset", struct{}{}, nil)
}

// String names the world in messages.
func (w *World) String() string { return fmt.Sprintf("world %s", w.Issuer) }
